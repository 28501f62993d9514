"""The pages over a study's models, as one folder of static files: web/, its parts, the study.

`pallor web` serves such a folder; any other static host can too. Nothing here brings torch until a
site is written, so that a server over a finished one starts at once.
"""

import shutil
from pathlib import Path
from typing import Any

from pipeline.closure import ROOT
from pipeline.errors import StageError, StudyError
from pipeline.evaluation.results import Results
from pipeline.exports.parts import copy_parts
from pipeline.files import digest, file_digest, is_stray, write_json, writing_folder
from pipeline.params import Params
from pipeline.study import Study
from pipeline.workspace import Workspace

PAGES = ROOT / "web"
LOOK = "look"  # the pages of `pallor view`, which are no part of a site
MOODS = {"negative", "neutral", "positive"}  # classes that a camera and a text can both speak of


def write_site(
    workspace: Workspace, study: Study, params: Params, assets: Path, folder: Path
) -> None:
    """Write the pages of a study into `folder`, whole or not at all.

    `assets` holds the fetched parts. Raises StudyError for a study of clips, StageError and
    AssetError where a model or a part is missing.
    """
    from pipeline.exports.detector import export_detector  # torch
    from pipeline.training.portable import write_onnx

    models = page_models(workspace, study)
    with writing_folder(folder) as part:
        strays = shutil.ignore_patterns("__pycache__", ".*", LOOK)
        shutil.copytree(PAGES, part, dirs_exist_ok=True, ignore=strays)
        copy_parts(assets, part / "vendor")
        export_detector(part / "study" / "detector.onnx")
        for task, model in models.items():
            write_onnx(model, part / "study" / f"{task}.onnx")
        about = _about(workspace, study, params, models)
        about["version"] = page_digest(workspace, study)
        write_json(part / "study" / "study.json", about)
        write_json(part / "files.json", {"version": about["version"], "files": _files(part)})


def page_models(workspace: Workspace, study: Study) -> dict[str, Path]:
    """Task > its model file: of the first model that answers it, by the first sound protocol.

    Raises StudyError where faces are compared, StageError where a model is not trained.
    """
    if study.input.reference != "none":
        raise StudyError(
            f"studies/{study.name} compares each face with one of '{study.input.reference}' "
            "(input.reference); the pages look at single pictures"
        )
    models = {task: workspace.model(*key) for task, key in _keys(study).items()}
    for path in models.values():
        if not path.is_file():
            raise StageError(f"{path} is missing; `pallor run --study {study.name}` trains it")
    return models


def page_digest(workspace: Workspace, study: Study) -> str:
    """Which pages, models and settings a site is made of; another digest means: make it anew."""
    pages = [path for path in sorted(PAGES.rglob("*")) if path.is_file()]
    pages = [path for path in pages if LOOK not in path.relative_to(PAGES).parts]
    named = {str(path.relative_to(PAGES)): path for path in pages if not is_stray(path)}
    named |= page_models(workspace, study)
    files = {name: file_digest(path) for name, path in named.items()}
    return digest({"files": files, "study": study.model_dump(mode="json")})


def _keys(study: Study) -> dict[str, tuple[str, str, str]]:
    """Task > (task, model, draw)."""
    sound = [name for name, rules in study.protocols.items() if not rules.leaky]
    protocol = (sound or list(study.protocols))[0]
    draw = study.protocols[protocol].draws(protocol)[0]
    return {
        task: (task, next(model for other, model, _ in study.trials() if other == task), draw)
        for task in study.tasks
    }


def _about(
    workspace: Workspace, study: Study, params: Params, models: dict[str, Path]
) -> dict[str, Any]:
    from pipeline.exports.detector import THRESHOLD

    tasks = [_task(workspace, study, *_keys(study)[task], path) for task, path in models.items()]
    return {
        "name": study.name,
        "title": study.title,
        "question": study.question,
        "margin": params.faces.margin,
        "detector": {"file": "detector.onnx", "threshold": THRESHOLD},
        "tasks": tasks,
        "camera": any(set(task["labels"]) >= MOODS for task in tasks),
    }


def _task(
    workspace: Workspace, study: Study, task: str, model: str, draw: str, path: Path
) -> dict[str, Any]:
    from models import PictureNetwork, load

    classifier = load(path)
    sizes = classifier.network.sizes
    if not isinstance(classifier.network, PictureNetwork):
        raise StudyError(
            f"studies/{study.name}: {model} looks at motion, and the pages at single pictures; "
            "put a network of pictures (docs/formats/models.md) first among the study's models"
        )
    return {
        "name": task, "model": model, "draw": draw, "file": f"{task}.onnx",
        "labels": list(classifier.labels), "size": sizes.size, "channels": sizes.channels,
        "window": classifier.window,
        "reliability": _reliability(workspace, study, task, model, draw),
    }  # fmt: skip


def _reliability(
    workspace: Workspace, study: Study, task: str, model: str, draw: str
) -> list[dict[str, Any]]:
    """How often answers of each confidence were right on the test side; [] before evaluation."""
    if not workspace.evaluation.is_file():
        return []
    protocol = next(name for name, rules in study.protocols.items() if draw in rules.draws(name))
    row = Results.read(workspace.evaluation).row(task, model, protocol)
    bins: list[dict[str, Any]] = row["calibration"]["bins"]
    return bins


def _files(folder: Path) -> list[str]:
    """What an installed page keeps for use without a network, by path below the site."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [str(path.relative_to(folder)) for path in files]
