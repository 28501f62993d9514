"""A small finished workspace: real files in every place, written without the line."""

import hashlib
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from avatars.units import UNITS
from pipeline.exports.source import Source, read_source
from pipeline.files import write_json, write_jsonl
from pipeline.media.video import write_clip
from pipeline.records import (
    ClipPlan,
    FaceTrack,
    Person,
    PortraitPlan,
    Sample,
    TransferPlan,
)
from pipeline.study import Study, parse_study
from pipeline.workspace import Workspace

FRAMES, FPS, SIZE = 4, 8, 32
TODAY = date(2026, 11, 21)
PEOPLE = [
    ("identity-a", 30.0, "female"),
    ("identity-b", 50.0, "male"),
    ("identity-c", 70.0, "male"),
]
DISPLAYS = ("FD1", "FD2-L")
WEAK = [{"kind": "myasthenia", "severity": 0.4, "side": "left"}]
VALUES = {
    "name": "ward",
    "title": "Two displays",
    "question": "Which display is it?",
    "cohorts": {"cast": 3},
    "arms": [
        {"label": "FD1", "cohorts": ["cast"], "expressions": ["FD1"]},
        {"label": "FD2-L", "cohorts": ["cast"], "expressions": ["FD2-L"],
         "conditions": [{"kind": "myasthenia", "severity": 0.4}]},
    ],
    "portraits": 2,
    "input": {"frames": 2},
    "tasks": {"display": {"detect": ["FD1", "FD2-L"]}, "turn": {"detect": ["FD2-L"]}},
    "protocols": {
        "published": {"unit": "window", "together": "nothing", "test": 0.3, "leaky": True},
        "clean": {"unit": "clip", "together": "group", "test": 0.3, "leaky": False},
    },
    "models": {"convlstm": {}},
    "published": {"source": "Al-Tekreeti et al. 2024"},
}  # fmt: skip
STILL = Person(identity_id="identity-s", age=40.0, sex="female", ethnicity="asian")
ASTRONAUT = Person(identity_id="identity-p", age=None, sex="female", ethnicity=None)


def clip_plan(person: Person, display: str, number: int) -> ClipPlan:
    return ClipPlan(
        clip_id=f"clip-{person.identity_id[-1]}{number}", key=f"{person.identity_id}/{display}",
        person=person, identity={}, expression=display, scene={}, seed=100 + number,
        frames=FRAMES, fps=FPS, size=SIZE, samples=1, label=display, cohort="cast",
        **({"conditions": WEAK, "targets": {"severity": 0.4}} if display == "FD2-L" else {}),
    )  # fmt: skip


def planned() -> tuple[list[ClipPlan], list[PortraitPlan], list[TransferPlan]]:
    people = [Person(identity_id=i, age=a, sex=s, ethnicity="african") for i, a, s in PEOPLE]
    clips = [clip_plan(p, d, n) for p in people for n, d in enumerate(DISPLAYS)]
    portraits = [
        PortraitPlan(
            portrait_id="portrait-s", key="portrait/0", person=STILL, licence="CC0-1.0",
            consent="not a person: rendered geometry", origin="rendered by Pallor", file=None,
            clip=clip_plan(STILL, "neutral", 9),
        ),
        PortraitPlan(
            portrait_id="portrait-p", key="photo/astronaut", person=ASTRONAUT,
            licence="public domain (NASA)", consent="public domain", origin="NASA",
            file="skimage:astronaut", clip=None,
        ),
    ]  # fmt: skip
    transfers = [
        TransferPlan(clip_id=f"transfer-{p.portrait_id[-1]}", portrait_id=p.portrait_id,
                     driving_clip_id=clips[n].clip_id, expression=clips[n].expression,
                     label=clips[n].label, targets=clips[n].targets, cohort="cast")
        for n, p in enumerate(portraits)
    ]  # fmt: skip
    return clips, portraits, transfers


def tracks_of(clips, portraits, transfers) -> list[FaceTrack]:
    boxes, by_id = [[0.0, 0.0, 32.0, 32.0]] * FRAMES, {clip.clip_id: clip for clip in clips}
    people = {portrait.portrait_id: portrait.person for portrait in portraits}
    avatars = [
        FaceTrack(
            clip_id=c.clip_id, kind="avatar", label=c.label, targets=c.targets, person=c.person,
            cohort="cast", trained=True,
            identity_id=c.person.identity_id, portrait_id=None, driving_clip_id=c.clip_id,
            detector="haar", boxes=boxes,
        )
        for c in clips
    ]  # fmt: skip
    transferred = [
        FaceTrack(
            clip_id=t.clip_id, kind="transfer", label=t.label, targets=t.targets,
            person=people[t.portrait_id], cohort="cast", trained=True,
            identity_id=by_id[t.driving_clip_id].person.identity_id, portrait_id=t.portrait_id,
            driving_clip_id=t.driving_clip_id, detector="haar", boxes=boxes,
        )
        for t in transfers
    ]  # fmt: skip
    return sorted([*avatars, *transferred], key=lambda track: track.clip_id)


def write_media(where: Workspace, tracks: list[FaceTrack]) -> None:
    for number, track in enumerate(tracks):
        folder = where.clips if track.kind == "avatar" else where.transferred
        frames = np.random.default_rng(number).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
        write_clip(folder / f"{track.clip_id}.mp4", frames, FPS)
        write_clip(where.faces / f"{track.clip_id}.mp4", frames[:, 8:24, 8:24], FPS)
        if track.kind == "avatar":
            np.savez(folder / f"{track.clip_id}.npz", **truth_of(number))


def truth_of(number: int) -> dict[str, np.ndarray]:
    """The arrays of docs/formats/clip.md that exports read, and the parts of a face."""
    rng = np.random.default_rng([7, number])
    flat = {name: np.zeros(FRAMES, np.float32) for name in ("mouth_mm", "breath_mm")}
    segmentation = np.zeros((FRAMES, SIZE, SIZE), np.uint8)
    segmentation[:, 6:26, 8:24], segmentation[:, 20:22, 12:20] = 1, 2
    return flat | {
        "units": np.array(list(UNITS)),
        "executed": rng.random((FRAMES, len(UNITS), 2), np.float32),
        "intended": rng.random((FRAMES, len(UNITS), 2), np.float32),
        "head_deg": np.zeros((FRAMES, 3), np.float32),
        "gaze_deg": np.array([[15, 11], [-15, -14], [0, 0], [60, 0]], np.float32),
        "aperture_mm": np.zeros((FRAMES, 2), np.float32),
        "head_shift_mm": np.zeros(FRAMES, np.float32),
        "landmarks_px": (8 + 16 * rng.random((FRAMES, 68, 2))).astype(np.float32),
        "landmarks_visible": rng.random((FRAMES, 68)) > 0.2,
        "labels": np.array(["background", "skin", "lips"]),
        "segmentation": segmentation,
    }


def samples_of(tracks: list[FaceTrack], protocol: str) -> list[Sample]:
    def side(track, start):
        tested = track.identity_id == "identity-c" if protocol == "clean" else start == 2
        return "test" if tested else "train"

    return [
        Sample(
            sample_id=f"sample-{t.clip_id}-{start}", clip_id=t.clip_id, start=start, length=2,
            label=t.label, group=t.identity_id, side=side(t, start), targets=t.targets,
        )
        for t in tracks
        for start in range(3)
    ]  # fmt: skip


def write_tables(where: Workspace, study: Study) -> None:
    clips, portraits, transfers = planned()
    write_jsonl(where.plan, [row.row() for row in (*clips, *portraits, *transfers)])
    lost, *kept = tracks_of(clips, portraits, transfers)
    write_media(where, kept)
    write_jsonl(where.faces / "faces.jsonl", [track.row() for track in kept])
    reason = {"clip_id": lost.clip_id, "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(where.faces / "quarantine.jsonl", [reason])
    write_json(where.faces / "detector.json", {"detector": "haar", "because": "it is here"})
    for protocol in study.protocols:
        write_jsonl(where.samples(protocol), [s.row() for s in samples_of(kept, protocol)])
    write_json(where.evaluation, {"results": results_of(study), "probes": []})
    side = {"train": 2, "test": 3, "shared": 0}
    write_json(where.proof, {p: {"groups": side, "person": side} for p in study.protocols})


def results_of(study: Study) -> list[dict]:
    figures = {"accuracy": 0.75, "accuracy_ci95": [0.5, 1.0], "n_test": 4, "auc": 0.9,
               "auc_ci95": [0.8, 1.0]}  # fmt: skip
    return [
        {"task": task, "model": model, "protocol": protocol, "unit": "clip", "by_clip": figures,
         "leaky": study.protocols[protocol].leaky}
        for task, model, protocol in study.trials()
    ]  # fmt: skip


def write_lineage(root: Path) -> None:
    plan_md5 = hashlib.md5((root / "data" / "ward" / "plan.jsonl").read_bytes()).hexdigest()
    plan = {"path": "data/ward/plan.jsonl", "hash": "md5", "md5": plan_md5}
    clips = {"path": "data/ward/clips", "hash": "md5", "md5": "0" * 32 + ".dir", "nfiles": 10}
    run = "python -m flows.stage"
    stages = {
        "plan@ward": {"cmd": f"{run} plan --study ward", "outs": [plan],
                      "params": {"params.yaml": {"seed": 7}}},
        "render@ward": {"cmd": f"{run} render --study ward", "deps": [plan], "outs": [clips]},
    }  # fmt: skip
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    record = {
        "name": "render@ward", "outcome": "completed", "error": None, "seconds": 12.5,
        "started": "2026-11-21T09:00:00.000+00:00", "host": "host-3", "user": "nurse", "pid": 4,
        "cores": 2, "platform": "Linux", "python": "3.11.9", "revision": "a" * 40,
        "packages": {"pallor": "0.1.0", "bpy": "4.5.15", "dvc": "3.67.1"},
    }  # fmt: skip
    write_json(root / ".pallor" / "runs" / "20261121T090000.000000-render-4.json", record)
    failed = {**record, "outcome": "failed", "error": "ClipError: x", "pid": 5}
    write_json(root / ".pallor" / "runs" / "20261121T100000.000000-render-5.json", failed)


@pytest.fixture(scope="session")
def study() -> Study:
    return parse_study(VALUES, "a test")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory, study) -> Workspace:
    """Seven kept clips (five avatars', two transferred), one turned away; never written to."""
    where = Workspace("ward", tmp_path_factory.mktemp("workspace"))
    write_tables(where, study)
    write_lineage(where.root)
    where.study_file.parent.mkdir(parents=True)
    where.study_file.write_text(yaml.safe_dump(VALUES))
    return where


@pytest.fixture
def copied(workspace, tmp_path) -> Workspace:
    """A copy of the workspace to spoil."""
    return replace(workspace, root=shutil.copytree(workspace.root, tmp_path / "w"))


@pytest.fixture(scope="session")
def source(workspace, study) -> Source:
    return read_source(workspace, study, TODAY)
