"""The faces stage: of every planned clip a square, steady crop of its face, or a reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pipeline.closure import code_digest
from pipeline.corpus.planned import Plan, read_plan
from pipeline.errors import ClipError
from pipeline.faces.crop import crop_boxes, cut
from pipeline.faces.detect import Choice, Detector, choose_detector, neutral_box
from pipeline.faces.duplicates import find_duplicates, look
from pipeline.faces.quality import Rejected, check_box, check_frames, check_sharpness
from pipeline.files import (
    digest,
    file_digest,
    read_json,
    write_json,
    write_jsonl,
    writing_folder,
)
from pipeline.media.video import Frames, read_clip, write_clip
from pipeline.records import FaceTrack, Planned
from pipeline.store.store import Job, Store

if TYPE_CHECKING:
    from pipeline.params import FaceParams, Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace


@dataclass(frozen=True)
class FaceJob:
    """One clip to crop to `size` px: its `video`, its record still without boxes, how to do it."""

    video: Path
    track: FaceTrack
    params: "FaceParams"
    size: int
    choice: Choice
    fps: int


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a planned clip, avatars first."""
    plan = read_plan(workspace.plan)
    return jobs_of(plan, (workspace.clips, workspace.transferred), params.faces, study.input.size)


def jobs_of(
    plan: Plan,
    folders: tuple[Path, Path],
    params: "FaceParams",
    size: int,
    weights: Path | None = None,
) -> list[Job]:
    """The jobs of a plan whose avatar and transferred clips lie in `folders`.

    `weights` is as in `choose_detector`.
    """
    choice = choose_detector(params.detector, weights)
    how = {
        "params": params.model_dump(), "size": size, "detector": choice.identity,
        "code": code_digest(__name__),
    }  # fmt: skip
    return [
        _job(FaceJob(folder / f"{track.clip_id}.mp4", track, params, size, choice, fps), how)
        for folder, track, fps in _tracks(plan, folders, choice.name)
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Make the items of one chunk: crop.mp4, look.npy and track.json, or rejected.json."""
    if not jobs:
        return
    choice = jobs[0].item.choice
    cv2.setNumThreads(1)  # one core a worker; the cascade's own threads would also shuffle boxes
    detector = choice.load()
    store.log("detector", **choice.record())
    for job in jobs:
        with store.making(job.key) as folder:
            outcome = _make(job.item, detector, folder)
        store.log("made", name=job.name, key=job.key, outcome=outcome)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Fill the folder with <clip_id>.mp4, faces.jsonl, quarantine.jsonl and detector.json."""
    kept, rejected = [], []
    copies = find_duplicates(_looks(jobs, store))
    with writing_folder(workspace.faces) as part:
        for job in sorted(jobs, key=lambda job: job.item.track.clip_id):
            item, folder = job.item, store.path(job.key)
            if (folder / "rejected.json").is_file():
                row = read_json(folder / "rejected.json")
                rejected.append(row | {"clip_id": item.track.clip_id})
                continue
            if item.track.clip_id in copies:
                rejected.append(_row(item.track.clip_id, copies[item.track.clip_id]))
                continue
            boxes = read_json(folder / "track.json")["boxes"]
            kept.append(item.track.model_copy(update={"boxes": boxes}).row())
            (part / f"{item.track.clip_id}.mp4").write_bytes((folder / "crop.mp4").read_bytes())
        write_jsonl(part / "faces.jsonl", kept)
        write_jsonl(part / "quarantine.jsonl", rejected)
        write_json(part / "detector.json", jobs[0].item.choice.record() if jobs else {})


def crop_faces(
    frames: Frames, detector: Detector, params: "FaceParams", size: int
) -> tuple[Frames, np.ndarray]:
    """(T, H, W, 3) uint8 frames, the first frontal > (T, size, size, 3) crops, (T, 4) boxes px.

    Raises Rejected with the gate that the frames fail.
    """
    check_frames(frames)
    faces = detector.follow(frames, neutral_box(detector, frames[0]))
    check_box(faces, width=frames.shape[2], height=frames.shape[1])
    boxes = crop_boxes(faces, params.margin)
    crops = cut(frames, boxes, size)
    check_sharpness(crops[0])
    return crops, boxes


def _make(item: FaceJob, detector: Detector, folder: Path) -> str:
    try:
        frames = _read(item.video)
        crops, boxes = crop_faces(frames, detector, item.params, item.size)
    except Rejected as failure:
        write_json(folder / "rejected.json", _row(item.track.clip_id, failure))
        return failure.reason
    write_clip(folder / "crop.mp4", crops, item.fps)
    np.save(folder / "look.npy", look(frames))
    write_json(folder / "track.json", {"boxes": np.round(boxes, 2).tolist()})
    return "kept"


def _row(clip_id: str, failure: Rejected) -> dict[str, str]:
    return {"clip_id": clip_id, "reason": failure.reason, "detail": failure.detail}


def _looks(jobs: Sequence[Job], store: Store) -> dict[str, np.ndarray]:
    files = {job.item.track.clip_id: store.path(job.key) / "look.npy" for job in jobs}
    return {clip_id: np.load(path) for clip_id, path in files.items() if path.is_file()}


def _read(video: Path) -> Frames:
    if not video.is_file():
        raise Rejected("missing", "the clip was planned but not made")
    try:
        return read_clip(video)
    except ClipError:
        raise Rejected("unreadable", "the file is not a video that can be read") from None


def _job(item: FaceJob, how: dict[str, Any]) -> Job:
    clip = file_digest(item.video) if item.video.is_file() else None
    return Job(digest({"clip": clip, "fps": item.fps} | how), item.track.clip_id, item)


def _tracks(
    plan: Plan, folders: tuple[Path, Path], detector: str
) -> list[tuple[Path, FaceTrack, int]]:
    clips, transferred = folders
    drivers = {clip.clip_id: clip for clip in plan.clips}
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    rows = []
    for clip in plan.clips:
        track = FaceTrack(
            clip_id=clip.clip_id, kind="avatar", **_asked(clip),
            identity_id=clip.person.identity_id, portrait_id=None,
            driving_clip_id=clip.clip_id, person=clip.person, detector=detector, boxes=[],
        )  # fmt: skip
        rows.append((clips, track, clip.fps))
    for row in plan.transfers:
        driver = drivers[row.driving_clip_id]
        track = FaceTrack(
            clip_id=row.clip_id, kind="transfer", **_asked(row),
            identity_id=driver.person.identity_id, portrait_id=row.portrait_id,
            driving_clip_id=row.driving_clip_id, person=people[row.portrait_id],
            detector=detector, boxes=[],
        )  # fmt: skip
        rows.append((transferred, track, driver.fps))
    return rows


def _asked(row: Planned) -> dict[str, Any]:
    return row.model_dump(include=set(Planned.model_fields))
