"""`dvc.yaml` against `dvc.lock`: is each stage what it was made with?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import StageError
from pipeline.lineage.checks import Finding
from pipeline.lineage.corpus import LOCK
from pipeline.lineage.lock import CODE_FILES, Stage
from pipeline.stage import study_of

PIPELINE = Path("dvc.yaml")
STUDIES = Path("studies/studies.yaml")  # what its `foreach` goes over


def check_pipeline(root: Path, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Where `dvc.yaml` is not what the lock was made with; frozen stages may have gone on."""
    made = {study_of(key) for key in lock}
    stages = {key: stage for key, stage in stages_now(root).items() if study_of(key) in made}
    for name in sorted(stages.keys() | lock.keys()):
        if name not in stages or name not in lock:
            there = PIPELINE if name in stages else LOCK
            yield Finding("altered pipeline", str(PIPELINE), f"stage {name} is in {there} alone")
        elif not stages[name].get("frozen"):
            for what in _differing(stages[name], lock[name]):
                detail = f"the {what} of stage {name} is not that of {LOCK}; `pallor run`"
                yield Finding("altered pipeline", str(PIPELINE), detail)


def value_of(values: object, key: str) -> object:
    """The value of a dotted name; None when there is none."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def stages_now(root: Path) -> dict[str, Any]:
    """The stages of the workspace's `dvc.yaml`, by their keys in the lock."""
    studies = root / STUDIES
    return stages_of(
        (root / PIPELINE).read_text(), studies.read_text() if studies.is_file() else ""
    )


def stages_of(text: str, studies: str) -> dict[str, Any]:
    """The stages of a `dvc.yaml` for the `studies` of its table; StageError when it is no such."""
    try:
        stages: dict[str, Any] = dict(yaml.safe_load(text)["stages"])
        items = (yaml.safe_load(studies) or {}).get("studies", {})
        found: dict[str, Any] = {}
        for name, stage in stages.items():
            each = items.items() if "foreach" in stage else ()
            found |= {f"{name}@{k}": _filled(stage["do"], {"key": k, "item": v}) for k, v in each}
            found |= {} if "foreach" in stage else {name: stage}
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StageError(f"{PIPELINE} is no pipeline of DVC; take it back from git") from error
    return found


def _differing(stage: dict[str, Any], locked: Stage) -> Iterator[str]:
    """In what a stage of `dvc.yaml` is not that of the lock."""

    def paths(*kinds: str) -> set[str]:
        rows = [row for kind in kinds for row in stage.get(kind, [])]
        return {row if isinstance(row, str) else next(iter(row)) for row in rows}

    tables = [row for row in stage.get("params", []) if isinstance(row, dict)]
    named = {(file, key) for row in tables for file, keys in row.items() for key in keys}
    code = {file for file, _ in named if Path(file) in CODE_FILES}
    keys = {key.removeprefix("params.") for file, key in named if file not in code}
    keys |= {row for row in stage.get("params", []) if isinstance(row, str)}
    if str(stage.get("cmd")) != locked.cmd:
        yield "command"
    if paths("deps") != locked.deps.keys():
        yield "list of inputs"
    if paths("outs", "metrics", "plots") != locked.outs.keys():
        yield "list of outputs"
    if keys != locked.params.keys() or bool(code) != bool(locked.code):
        yield "list of parameters"


def _filled(entry: Any, values: object) -> Any:
    """An entry with every ${name} as its value, as DVC fills it."""
    if isinstance(entry, dict):
        return {_filled(key, values): _filled(value, values) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_filled(value, values) for value in entry]
    if isinstance(entry, str):
        return re.sub(r"\$\{([\w.]+)\}", lambda name: str(value_of(values, name[1])), entry)
    return entry
