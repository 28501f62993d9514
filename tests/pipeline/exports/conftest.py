"""A small finished workspace: real files in every place, written without the line."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.exports.source import Source, read_source
from pipeline.files import write_json, write_jsonl
from pipeline.media.video import write_clip
from pipeline.records import (
    PROTOCOLS,
    ClipPlan,
    FaceTrack,
    Person,
    PortraitPlan,
    Sample,
    TransferPlan,
)

FRAMES, FPS, SIZE = 4, 8, 32
TODAY = date(2026, 11, 21)
PEOPLE = [
    ("identity-a", 30.0, "female"),
    ("identity-b", 50.0, "male"),
    ("identity-c", 70.0, "male"),
]
DISPLAYS = ("FD1", "FD2-L")
STILL = Person(identity_id="identity-s", age=40.0, sex="female", ethnicity="asian")
ASTRONAUT = Person(identity_id="identity-p", age=None, sex="female", ethnicity=None)


def clip_plan(person: Person, display: str, number: int) -> ClipPlan:
    return ClipPlan(
        clip_id=f"clip-{person.identity_id[-1]}{number}", key=f"{person.identity_id}/{display}",
        person=person, identity={}, expression=display, scene={}, seed=100 + number,
        frames=FRAMES, fps=FPS, size=SIZE, samples=1,
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
            licence="public domain (NASA)", consent="official portrait", origin="NASA",
            file="skimage:astronaut", clip=None,
        ),
    ]  # fmt: skip
    transfers = [
        TransferPlan(clip_id=f"transfer-{p.portrait_id[-1]}", portrait_id=p.portrait_id,
                     driving_clip_id=clips[n].clip_id, expression=clips[n].expression)
        for n, p in enumerate(portraits)
    ]  # fmt: skip
    return clips, portraits, transfers


def tracks_of(clips, portraits, transfers) -> list[FaceTrack]:
    boxes, by_id = [[0.0, 0.0, 32.0, 32.0]] * FRAMES, {clip.clip_id: clip for clip in clips}
    people = {portrait.portrait_id: portrait.person for portrait in portraits}
    avatars = [
        FaceTrack(
            clip_id=c.clip_id, kind="avatar", label=c.expression, person=c.person,
            identity_id=c.person.identity_id, portrait_id=None, driving_clip_id=c.clip_id,
            detector="haar", boxes=boxes,
        )
        for c in clips
    ]  # fmt: skip
    transferred = [
        FaceTrack(
            clip_id=t.clip_id, kind="transfer", label=t.expression, person=people[t.portrait_id],
            identity_id=by_id[t.driving_clip_id].person.identity_id, portrait_id=t.portrait_id,
            driving_clip_id=t.driving_clip_id, detector="haar", boxes=boxes,
        )
        for t in transfers
    ]  # fmt: skip
    return sorted([*avatars, *transferred], key=lambda track: track.clip_id)


def write_media(root: Path, tracks: list[FaceTrack]) -> None:
    for number, track in enumerate(tracks):
        folder = root / "data" / ("clips" if track.kind == "avatar" else "transferred")
        frames = np.random.default_rng(number).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
        write_clip(folder / f"{track.clip_id}.mp4", frames, FPS)
        write_clip(root / "data" / "faces" / f"{track.clip_id}.mp4", frames[:, 8:24, 8:24], FPS)
        if track.kind == "avatar":
            np.savez(folder / f"{track.clip_id}.npz", head_deg=np.zeros((FRAMES, 3), np.float32))


def samples_of(tracks: list[FaceTrack], protocol: str) -> list[Sample]:
    def side(track, start):
        tested = track.identity_id == "identity-c" if protocol == "clean" else start == 2
        return "test" if tested else "train"

    return [
        Sample(
            sample_id=f"sample-{t.clip_id}-{start}", clip_id=t.clip_id, start=start, length=2,
            label=t.label, group=t.identity_id, side=side(t, start),
        )
        for t in tracks
        for start in range(3)
    ]  # fmt: skip


def write_tables(root: Path) -> None:
    data, metrics = root / "data", root / "metrics"
    clips, portraits, transfers = planned()
    write_jsonl(data / "plan.jsonl", [row.row() for row in (*clips, *portraits, *transfers)])
    lost, *kept = tracks_of(clips, portraits, transfers)
    write_media(root, kept)
    write_jsonl(data / "faces" / "faces.jsonl", [track.row() for track in kept])
    reason = {"clip_id": lost.clip_id, "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(data / "faces" / "quarantine.jsonl", [reason])
    write_json(data / "faces" / "detector.json", {"detector": "haar", "because": "it is here"})
    for protocol in PROTOCOLS:
        rows = [sample.row() for sample in samples_of(kept, protocol)]
        write_jsonl(data / "split" / f"{protocol}.jsonl", rows)
        write_jsonl(data / "oversampled" / f"{protocol}.jsonl", rows)
        write_json(data / "models" / f"{protocol}.json", {"labels": list(DISPLAYS)})
        write_jsonl(data / "predictions" / f"{protocol}.jsonl", [])
    figures = {"unit": "clip", "accuracy": 0.75, "accuracy_ci95": [0.5, 1.0], "n_test": 4}
    write_json(metrics / "evaluation.json", dict.fromkeys(PROTOCOLS, figures))
    write_json(metrics / "balance.json", {})
    write_json(metrics / "split_proof.json", {p: {"shared_groups": 0} for p in PROTOCOLS})


def write_lineage(root: Path) -> None:
    plan_md5 = hashlib.md5((root / "data" / "plan.jsonl").read_bytes()).hexdigest()
    plan = {"path": "data/plan.jsonl", "hash": "md5", "md5": plan_md5}
    clips = {"path": "data/clips", "hash": "md5", "md5": "0" * 32 + ".dir", "nfiles": 10}
    stages = {
        "plan": {"cmd": "python -m flows.plan", "outs": [plan],
                 "params": {"params.yaml": {"seed": 7}}},
        "render": {"cmd": "python -m flows.render", "deps": [plan], "outs": [clips]},
    }  # fmt: skip
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    record = {
        "name": "render", "outcome": "completed", "error": None, "seconds": 12.5,
        "started": "2026-11-21T09:00:00.000+00:00", "host": "ward", "user": "nurse", "pid": 4,
        "cores": 2, "platform": "Linux", "python": "3.11.9", "revision": "a" * 40,
        "packages": {"pallor": "0.1.0", "bpy": "4.5.15", "dvc": "3.67.1"},
    }  # fmt: skip
    write_json(root / ".pallor" / "runs" / "20261121T090000.000000-render-4.json", record)
    failed = {**record, "outcome": "failed", "error": "ClipError: x", "pid": 5}
    write_json(root / ".pallor" / "runs" / "20261121T100000.000000-render-5.json", failed)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory) -> Path:
    """Seven kept clips (five avatars', two transferred), one turned away; never written to."""
    root = tmp_path_factory.mktemp("workspace")
    write_tables(root)
    write_lineage(root)
    return root


@pytest.fixture(scope="session")
def source(workspace) -> Source:
    return read_source(workspace, TODAY)
