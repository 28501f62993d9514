"""A whole small workspace: real git, real DVC with a remote, real clips; models are arbitrary."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from pipeline.corpus.plan import make_plan
from pipeline.corpus.planned import read_plan
from pipeline.evaluation.metrics import FIGURES
from pipeline.files import child_seed, write_json, write_jsonl
from pipeline.lineage.corpus import Place
from pipeline.media.video import write_clip
from pipeline.params import parse_params
from pipeline.records import FaceTrack
from pipeline.settings import settings
from pipeline.splits import oversample, split
from pipeline.splits.oversample import classed
from pipeline.splits.tables import read_samples
from pipeline.stage import STAGES, place
from pipeline.study import parse_study
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[3]
PARAMS = {"seed": 5, "plan": {"frames": 8, "fps": 4, "size": 48}}
STUDY = yaml.safe_load((ROOT / "studies" / MAIN / "study.yaml").read_text()) | {
    "cohorts": {"cast": 4},
    "arms": [{"label": n, "cohorts": ["cast"], "expressions": [n]} for n in ("FD1", "FD2-L")],
    "portraits": 3,
    "input": {"frames": 4, "stride": 2, "size": 48},
    "mirror": {},
    "tasks": {"display": {"detect": ["FD1", "FD2-L"]}},
    "protocols": {
        "published": {"unit": "window", "together": "nothing", "test": 0.3, "leaky": True},
        "clean": {"unit": "clip", "together": "group", "test": 0.3, "leaky": False},
    },
}
CONFIG = """[core]
    check_update = false
    remote = store
['remote "store"']
    url = ../../template-remote
"""
ENVIRONMENT = {
    **os.environ, "DVC_NO_ANALYTICS": "1", "CI": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A workspace of one's own, to be looked into and to be spoilt."""

    root: Path
    place: Place

    def run(self, *command):
        return subprocess.run(
            command, cwd=self.root, env=ENVIRONMENT, check=True, capture_output=True, text=True
        ).stdout

    def dvc(self, *arguments):
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def commit(self, message="change"):
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    @property
    def files(self):
        return self.place.files(MAIN)

    @property
    def plan(self):
        return read_plan(self.files.plan)


def place_of(root):
    return Place(
        root=root, home=root / ".pallor", cache=root / ".dvc/cache",
        remotes={"store": root.parent / f"{root.name}-remote"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def template(made_once):
    """The workspace all others are copies of."""
    root = made_once("lineage", lambda at: committed(at / "template", STUDY)) / "template"
    return Made(root, place_of(root))


def committed(root, *studies, make=None):
    """A workspace of these studies, committed to git and pushed to DVC's remote."""
    for values in studies:
        (make or make_files)(root, values)
    write_pipeline(root, [values["name"] for values in studies])
    made = Made(root, place_of(root))
    made.run("git", "init", "--quiet", "--initial-branch=main", ".")
    (root / ".dvc").mkdir()  # what `dvc init` and `dvc remote add` write, without their seconds
    (root / ".dvc/config").write_text(CONFIG)
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    made.dvc("commit", "--force", "--quiet")
    made.dvc("push", "--quiet")
    made.commit("The corpus")
    return made


@pytest.fixture(autouse=True)
def own_git(monkeypatch):
    """Somebody who commits, and nothing of this machine's git and DVC."""
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.delenv("PALLOR_HOME", raising=False)


@pytest.fixture
def made(template, tmp_path):
    """A copy of the template with its remote."""
    return copy_of(template, tmp_path)


def copy_of(template, folder):
    """A template and its remote, copied into a folder."""
    root = folder / "template"
    shutil.copytree(template.root, root, symlinks=True)
    shutil.copytree(template.place.remotes["store"], folder / "template-remote")
    return Made(root, place_of(root))


@pytest.fixture(scope="session")
def copied():
    """`copy_of`, for fixtures that outlive a test."""
    return copy_of


@pytest.fixture
def clone_of(made_once, tmp_path):
    """A clone with a study for each set of changes to the template's; made once under a name."""

    def clone(name, *changes):
        studies = [STUDY | change for change in changes]
        root = made_once(name, lambda at: committed(at / "template", *studies)) / "template"
        return copy_of(Made(root, place_of(root)), tmp_path)

    return clone


def make_files(root, values):
    """Every file of a study below `root`."""
    study, params, files = (
        parse_study(values, "test"),
        parse_params(PARAMS),
        Workspace(values["name"], root),
    )
    shutil.copytree(ROOT / "portraits", root / "portraits", dirs_exist_ok=True)
    shutil.copytree(ROOT / "code", root / "code", dirs_exist_ok=True)
    files.params.write_text(yaml.safe_dump(params.model_dump(), sort_keys=False))
    files.study_folder.mkdir(parents=True)
    files.study_file.write_text(yaml.safe_dump(values, sort_keys=False))
    write_json(files.settings, settings(study, params))
    rows = make_plan(study, params, root / "portraits/register.csv")
    write_jsonl(files.plan, [row.row() for row in rows])
    _draw(read_plan(files.plan), files)
    split.make(files, study, params)
    oversample.make(files, study, params)
    _predict(files, study)
    for name in (f"plots/{study.name}/roc.png", f"report/{study.name}/index.html"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(f"{name}: nobody's picture")
    write_json(files.folds, {"models": {}})
    write_jsonl(files.manifest, [])  # films are told apart by DVC's lists; test_diff.py has others
    for path in (place(out.name, files) for s in STAGES.values() for out in s.outputs):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path.relative_to(root)}: nobody's picture")
    write_json(files.counts, {"kept": 10, "planned": 11})
    record = RUN | {"name": f"render@{study.name}"}
    write_json(root / f".pallor/runs/20260101T000000.0-{record['name']}-1.json", record)


RUN = {
    "outcome": "completed", "started": "2026-01-01T00:00:00+00:00",
    "host": "ward", "user": "ada", "seconds": 1.5, "packages": {"bpy": "4.5.15"},
    "revision": "0123456789abcdef0123456789abcdef01234567-dirty",
}  # fmt: skip


def write_pipeline(root, studies):
    """The line's own stages without the code they depend on, which is not here."""
    (root / ".gitignore").write_text(".pallor/\n/report/\n")
    (root / ".dvcignore").write_text(".pallor/\n")
    paths = {"portraits": {"source": "portraits"}, "motion": {"checkpoint": "none"}}
    table = {"studies": dict.fromkeys(studies, paths)}
    (root / "studies/studies.yaml").write_text(yaml.safe_dump(table))
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    for stage in (stage.get("do", stage) for stage in pipeline["stages"].values()):
        kept = [dep for dep in stage.get("deps", []) if dep.startswith(("data/", "metrics/"))]
        stage |= {"deps": kept or ["params.yaml"], "cmd": "true"}
    (root / "dvc.yaml").write_text(yaml.safe_dump(pipeline))


def picture(person, expression, phase):
    """(48, 48, 3) uint8: waves of the person's own, fine enough that no two people are alike by
    chance, and a bar that moves as the display does."""
    rng = np.random.default_rng(child_seed(0, person))
    small = rng.integers(0, 256, (7, 7, 3), dtype=np.uint8)
    frame = cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)
    at = int(10 + 20 * phase)
    frame[at : at + 4, 8:40] = 255 if expression == "FD1" else 0
    return frame


def _draw(plan, files):
    clips = {clip.clip_id: clip for clip in plan.clips}
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    tracks = [_film(files, files.clips, c, "avatar", c, c.person, None) for c in plan.clips]
    for row in plan.transfers:
        driver, face = clips[row.driving_clip_id], people[row.portrait_id]
        tracks.append(
            _film(files, files.transferred, row, "transfer", driver, face, row.portrait_id)
        )
    files.portraits.mkdir()
    for portrait in plan.portraits:
        still = picture(portrait.person.identity_id, "neutral", 0)
        cv2.imwrite(str(files.portraits / f"{portrait.portrait_id}.png"), still)
    write_jsonl(files.portraits / "portraits.jsonl", [p.row() for p in plan.portraits])
    tracks.sort(key=lambda track: track.clip_id)
    *kept, lost = tracks
    (files.faces / f"{lost.clip_id}.mp4").unlink()
    write_jsonl(files.faces / "faces.jsonl", [track.row() for track in kept])
    reason = {"clip_id": lost.clip_id, "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(files.faces / "quarantine.jsonl", [reason])
    write_json(files.faces / "detector.json", {"detector": "haar", "because": "drawn"})


def _film(files, folder, clip, kind, driver, person, portrait_id):
    phases = np.sin(np.pi * np.linspace(0, 1, 8))
    frames = np.stack([picture(person.identity_id, driver.expression, p) for p in phases])
    write_clip(folder / f"{clip.clip_id}.mp4", frames, 4)
    write_clip(files.faces / f"{clip.clip_id}.mp4", frames[:, 4:44, 4:44], 4)
    if kind == "avatar":
        np.savez(folder / f"{clip.clip_id}.npz", head_deg=phases)
    return FaceTrack(
        clip_id=clip.clip_id, kind=kind, person=person, label=clip.label, targets=clip.targets,
        cohort=clip.cohort, trained=clip.trained, identity_id=driver.person.identity_id,
        portrait_id=portrait_id, driving_clip_id=driver.clip_id, detector="haar",
        boxes=[[0.0, 0.0, 48.0, 48.0]] * 8,
    )  # fmt: skip


def _predict(files, study):
    """Models of arbitrary bytes, predictions that are right for every second window."""
    results = []
    for task, model, protocol in study.trials():
        rows = []
        for draw in study.protocols[protocol].draws(protocol):
            weights = files.model(task, model, draw)
            weights.parent.mkdir(parents=True, exist_ok=True)
            weights.write_text(f"weights of {task} {model} {draw}")
            write_json(weights.with_suffix(".json"), {"params": {"epochs": 1}, "torch": "2"})
            table = classed(read_samples(files.samples(draw)), study.tasks[task])
            tested, classes = [s for s in table if s.side == "test"], {s.label for s in table}
            answers = [_guess(sample, n, classes) for n, sample in enumerate(tested)]
            write_jsonl(files.answers(task, model, draw), answers)
            rows += answers
        right = np.array([row["predicted"] == row["label"] for row in rows])
        clips = sorted({row["clip_id"] for row in rows})
        sure = [
            np.mean([row["probabilities"][row["label"]] for row in rows if row["clip_id"] == clip])
            for clip in clips
        ]
        shares = {"window": right.mean(), "clip": np.mean(np.array(sure) > 0.5)}
        others = dict.fromkeys(FIGURES, 0.5)
        ends = {f"{name}_ci95": [0.4, 0.6] for name in FIGURES}
        figures = {
            f"by_{unit}": {
                **others, **ends, "accuracy": round(float(share), 6),
                "n_test": len(rows), "n_people": 2,
            }
            for unit, share in shares.items()
        }  # fmt: skip
        results.append({
            "task": task, "model": model, "protocol": protocol, **figures,
            "unit": study.protocols[protocol].unit, "leaky": study.protocols[protocol].leaky,
        })  # fmt: skip
    write_json(files.evaluation, {"results": results, "probes": []})


def _guess(sample, number, classes):
    # Two classes, of which right guesses are the surer: no clip is a tie.
    sure, other = (0.9, 0.1) if number % 2 else (0.4, 0.6)
    [wrong] = classes - {sample.label}
    probabilities = {sample.label: sure, wrong: other}
    return {
        "sample_id": sample.sample_id, "clip_id": sample.clip_id, "start": sample.start,
        "label": sample.label, "predicted": max(probabilities, key=probabilities.get),
        "probabilities": dict(sorted(probabilities.items())),
    }  # fmt: skip
