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
from pipeline.files import child_seed, write_json, write_jsonl
from pipeline.lineage.corpus import Workspace
from pipeline.media.video import write_clip
from pipeline.params import parse_params
from pipeline.records import PROTOCOLS, FaceTrack, Sample
from pipeline.splits.oversample import oversample_splits
from pipeline.splits.split import split_faces

ROOT = Path(__file__).parents[3]
PARAMS = {
    "seed": 5,
    "plan": {"identities": 4, "expressions": ["FD1", "FD2-L"], "frames": 8, "fps": 4, "size": 48},
    "portraits": {"count": 3},
    "split": {"window": 4, "stride": 2, "test_fraction": 0.3},
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
    place: Workspace

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
    def plan(self):
        return read_plan(self.root / "data/plan.jsonl")


def place_of(root):
    return Workspace(
        root=root, home=root / ".pallor", cache=root / ".dvc/cache",
        remotes={"store": root.parent / f"{root.name}-remote"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The workspace all others are copies of."""
    root = tmp_path_factory.mktemp("lineage") / "template"
    make_files(root)
    made = Made(root, place_of(root))
    made.run("git", "init", "--quiet", "--initial-branch=main", ".")
    (root / ".dvc").mkdir()  # what `dvc init` and `dvc remote add` write, without their seconds
    (root / ".dvc/config").write_text(CONFIG)
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    made.dvc("commit", "--force", "--quiet")
    made.dvc("push", "--quiet")
    made.commit("The corpus")
    return made


@pytest.fixture
def made(template, tmp_path):
    """A copy of the template with its remote."""
    root = tmp_path / "template"
    shutil.copytree(template.root, root, symlinks=True)
    shutil.copytree(template.place.remotes["store"], tmp_path / "template-remote")
    return Made(root, place_of(root))


def make_files(root):
    """Every file of a corpus below `root`."""
    params = parse_params(PARAMS)
    shutil.copytree(ROOT / "portraits", root / "portraits")
    (root / "params.yaml").write_text(yaml.safe_dump(params.model_dump(), sort_keys=False))
    (root / ".gitignore").write_text(".pallor/\n/report/\n")
    (root / ".dvcignore").write_text(".pallor/\n")
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": _bare(stages)}))
    rows = make_plan(params, root / "portraits/register.csv")
    write_jsonl(root / "data/plan.jsonl", [row.row() for row in rows])
    _draw(read_plan(root / "data/plan.jsonl"), root)
    seeds = {name: child_seed(params.seed, name) for name in ("split", "oversample")}
    proof = root / "metrics/split_proof.json"
    split_faces(root / "data/faces", root / "data/split", proof, params.split, seeds["split"])
    oversample_splits(
        root / "data/split", root / "data/faces", root / "data/oversampled",
        root / "metrics/balance.json", params.oversample, seeds["oversample"],
    )  # fmt: skip
    _predict(root)
    for name in ("plots/roc.png", "report/index.html", *_outputs(stages)):
        if not (root / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(f"{name}: nobody's picture")
    write_json(root / "metrics/counts.json", {"kept": 10, "planned": 11})
    write_json(root / ".pallor/runs/20260101T000000.0-render-1.json", RUN)


RUN = {
    "name": "render", "outcome": "completed", "started": "2026-01-01T00:00:00+00:00",
    "host": "ward", "user": "ada", "seconds": 1.5, "packages": {"bpy": "4.5.15"},
    "revision": "0123456789abcdef0123456789abcdef01234567-dirty",
}  # fmt: skip


def _bare(stages):
    """The line's own stages without the code they depend on, which is not here."""
    for stage in stages.values():
        kept = [dep for dep in stage["deps"] if dep.startswith(("data/", "metrics/"))]
        stage["deps"] = kept or ["params.yaml"]
        stage["cmd"] = "true"
    return stages


def _outputs(stages):
    """The paths of every output, metric and plot."""
    rows = [
        out for s in stages.values() for k in ("outs", "metrics", "plots") for out in s.get(k, [])
    ]
    return [row if isinstance(row, str) else next(iter(row)) for row in rows]


def picture(person, expression, phase):
    """(48, 48, 3) uint8: waves of the person's own, and a bar that moves as the display does."""
    rng = np.random.default_rng(child_seed(0, person))
    small = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    frame = cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)
    at = int(10 + 20 * phase)
    frame[at : at + 4, 8:40] = 255 if expression == "FD1" else 0
    return frame


def _draw(plan, root):
    clips = {clip.clip_id: clip for clip in plan.clips}
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    tracks = [_film(root, "clips", c.clip_id, "avatar", c, c.person, None) for c in plan.clips]
    for row in plan.transfers:
        driver, face = clips[row.driving_clip_id], people[row.portrait_id]
        tracks.append(
            _film(root, "transferred", row.clip_id, "transfer", driver, face, row.portrait_id)
        )
    (root / "data/portraits").mkdir()
    for portrait in plan.portraits:
        still = picture(portrait.person.identity_id, "neutral", 0)
        cv2.imwrite(str(root / f"data/portraits/{portrait.portrait_id}.png"), still)
    write_jsonl(root / "data/portraits/portraits.jsonl", [p.row() for p in plan.portraits])
    tracks.sort(key=lambda track: track.clip_id)
    *kept, lost = tracks
    (root / f"data/faces/{lost.clip_id}.mp4").unlink()
    write_jsonl(root / "data/faces/faces.jsonl", [track.row() for track in kept])
    reason = {"clip_id": lost.clip_id, "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(root / "data/faces/quarantine.jsonl", [reason])
    write_json(root / "data/faces/detector.json", {"detector": "haar", "because": "drawn"})


def _film(root, folder, clip_id, kind, driver, person, portrait_id):
    phases = np.sin(np.pi * np.linspace(0, 1, 8))
    frames = np.stack([picture(person.identity_id, driver.expression, p) for p in phases])
    write_clip(root / f"data/{folder}/{clip_id}.mp4", frames, 4)
    write_clip(root / f"data/faces/{clip_id}.mp4", frames[:, 4:44, 4:44], 4)
    if kind == "avatar":
        np.savez(root / f"data/{folder}/{clip_id}.npz", head_deg=phases)
    return FaceTrack(
        clip_id=clip_id, kind=kind, label=driver.expression, person=person,
        identity_id=driver.person.identity_id, portrait_id=portrait_id,
        driving_clip_id=driver.clip_id, detector="haar", boxes=[[0.0, 0.0, 48.0, 48.0]] * 8,
    )  # fmt: skip


def _predict(root):
    """Models of arbitrary bytes, predictions that are right for every second window."""
    import json

    evaluation = {}
    for protocol in PROTOCOLS:
        (root / "data/models").mkdir(exist_ok=True)
        (root / f"data/models/{protocol}.safetensors").write_text(f"weights of {protocol}")
        write_json(root / f"data/models/{protocol}.json", {"params": {"epochs": 1}, "torch": "2"})
        lines = (root / f"data/split/{protocol}.jsonl").read_text().splitlines()
        table = [Sample.parse(json.loads(line)) for line in lines]
        rows = [_guess(s, n) for n, s in enumerate(s for s in table if s.side == "test")]
        write_jsonl(root / f"data/predictions/{protocol}.jsonl", rows)
        right = np.array([row["predicted"] == row["label"] for row in rows])
        clips = sorted({row["clip_id"] for row in rows})
        sure = [
            np.mean([row["probabilities"][row["label"]] for row in rows if row["clip_id"] == clip])
            for clip in clips
        ]
        evaluation[protocol] = {
            "unit": "window", "accuracy": round(float(right.mean()), 6),
            "accuracy_ci95": [0.4, 0.6], "n_test": len(rows),
            "by_window": {"accuracy": round(float(right.mean()), 6), "n_test": len(rows)},
            "by_clip": {"accuracy": round(float(np.mean(np.array(sure) > 0.5)), 6)},
        }  # fmt: skip
    write_json(root / "metrics/evaluation.json", evaluation)


def _guess(sample, number):
    # Two classes, of which right guesses are the surer: no clip is a tie.
    sure, other = (0.9, 0.1) if number % 2 else (0.4, 0.6)
    wrong = "FD2-L" if sample.label == "FD1" else "FD1"
    probabilities = {sample.label: sure, wrong: other}
    return {
        "sample_id": sample.sample_id, "clip_id": sample.clip_id, "start": sample.start,
        "label": sample.label, "predicted": max(probabilities, key=probabilities.get),
        "probabilities": dict(sorted(probabilities.items())),
    }  # fmt: skip
