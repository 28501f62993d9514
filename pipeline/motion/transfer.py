"""The transfer stage: every portrait performs the motion of its driving clip."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as iio
import numpy as np

import fomm
from pipeline.closure import code_digest
from pipeline.corpus.planned import read_plan
from pipeline.errors import AssetError, ClipError, RefusedError, StageError
from pipeline.files import (
    digest,
    file_digest,
    read_jsonl,
    write_jsonl,
    writing_folder,
)
from pipeline.media.video import read_clip, write_clip
from pipeline.motion.check import Checked, Start, check_once, choose_start
from pipeline.motion.engine import engine, fitted, returned
from pipeline.store.store import Job, Store, make_each
from pipeline.store.threads import one_thread

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.params import Params, TransferParams
    from pipeline.study import Study
    from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Transfer:
    """One clip to make: `portrait` (PNG) performs the `driving` clip, with `checkpoint`'s model."""

    clip_id: str
    portrait: Path
    driving: Path
    checkpoint: Path
    params: "TransferParams"
    fps: int


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a planned transfer; those that share a driving clip stand together.

    A transfer whose portrait or clip was given up by its stage is left out; `skipped` names it.
    Raises AssetError without the checkpoint, StageError without a portrait or driving clip.
    """
    del study
    checkpoint = workspace.root / params.motion.checkpoint
    if not checkpoint.is_file():
        raise AssetError(f"{checkpoint} is missing; `make motion` trains it")
    plan = read_plan(workspace.plan)
    rate = {clip.clip_id: clip.fps for clip in plan.clips}
    how = {
        "checkpoint": file_digest(checkpoint),
        "code": code_digest(__name__),
        "params": params.transfer.model_dump(),
    }
    absent = _given_up(workspace.clips) | _given_up(workspace.portraits)
    rows = [r for r in plan.transfers if not {r.driving_clip_id, r.portrait_id} & absent.keys()]
    rows.sort(key=lambda row: (row.driving_clip_id, row.clip_id))
    return [
        _job(
            Transfer(
                row.clip_id,
                workspace.portraits / f"{row.portrait_id}.png",
                workspace.clips / f"{row.driving_clip_id}.mp4",
                checkpoint,
                params.transfer,
                rate[row.driving_clip_id],
            ),
            how,
        )
        for row in rows
    ]


def skipped(workspace: "Workspace") -> list[dict[str, str]]:
    """`clip_id` and `reason` of the transfers whose portrait or driving clip was given up."""
    absent = _given_up(workspace.clips) | _given_up(workspace.portraits)
    return [
        {"clip_id": row.clip_id, "reason": absent[name]}
        for row in read_plan(workspace.plan).transfers
        for name in (row.portrait_id, row.driving_clip_id)
        if name in absent
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Make the chunk's clips; a driving clip's key points are found once for all its portraits.

    Raises RefusedError, the others made, for a portrait or clip that the motion model refuses.
    """
    if not jobs:
        return
    with one_thread():
        made = engine(jobs[0].item.checkpoint)
        store.log("engine", mode=made.mode, because=made.because, how=made.how)
        points: dict[Path, fomm.KeyPoints] = {}
        make_each(jobs, lambda job: _make(job, store, made.model, points))


def _make(
    job: Job, store: Store, model: fomm.MotionModel, points: dict[Path, fomm.KeyPoints]
) -> None:
    item: Transfer = job.item
    with store.making(job.key) as folder, _telling(item):
        if item.driving not in points:
            clip = fitted(read_clip(item.driving), model.config)
            points[item.driving] = model.keypoints(clip)
        still = _still(item.portrait)
        seen = fitted(still[None], model.config)[0]
        checked = check_once(item.checkpoint, seen, item.portrait.name)
        frames, start = _performed(item, model, checked, points[item.driving])
        write_clip(folder / "clip.mp4", returned(frames, still.shape[0]), item.fps)
    store.log(
        "transferred", name=job.name, key=job.key, portrait=item.portrait.name,
        check=checked.record, start=start.frame, notes=[*checked.notes, start.because],
    )  # fmt: skip


def _performed(
    item: Transfer, model: fomm.MotionModel, checked: Checked, driving: fomm.KeyPoints
) -> tuple[np.ndarray, Start]:
    """The frames (T, S, S, 3), and the driving frame that their motion is counted from."""
    how = item.params
    start = Start(0, "")
    if how.relative:
        start = choose_start(checked, driving, item.portrait.name, item.driving.name)
    if start.frame == 0:
        return model.perform(checked.face, driving, how.relative, how.adapt_scale), start
    # The model counts motion from its first row.
    rows = fomm.KeyPoints.cat([driving[start.frame : start.frame + 1], driving])
    return model.perform(checked.face, rows, how.relative, how.adapt_scale)[1:], start


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Write <clip_id>.mp4; failed.jsonl when clips were given up or are `skipped`."""
    absent = skipped(workspace)
    with writing_folder(workspace.transferred) as part:
        made, failed = store.sorted_out(jobs)
        rows = [{"clip_id": job.item.clip_id, "reason": reason} for job, reason in failed]
        if rows := [*rows, *absent]:
            write_jsonl(part / "failed.jsonl", rows)
        for job in made:
            clip = store.path(job.key) / "clip.mp4"
            (part / f"{job.item.clip_id}.mp4").write_bytes(clip.read_bytes())


@contextmanager
def _telling(item: Transfer) -> Iterator[None]:
    """What the motion model or a decoder refuses, said with the names of the files."""
    try:
        yield
    except RefusedError:
        raise
    except (fomm.MotionError, ClipError) as error:
        raise RefusedError(
            f"{item.portrait.name} cannot perform {item.driving.name}: {error}"
        ) from error


def _still(path: Path) -> np.ndarray:
    try:
        return iio.imread(path)
    except (OSError, ValueError, SyntaxError) as error:  # a broken PNG is a SyntaxError
        raise ClipError(f"{path} cannot be read as a picture: {error}") from error


def _given_up(folder: Path) -> dict[str, str]:
    """Id > the sentence that says which clip or portrait its stage gave up."""
    path = folder / "failed.jsonl"
    rows = read_jsonl(path) if path.is_file() else []
    return {
        row.get("clip_id") or row["portrait_id"]: (
            f"{row.get('name') or row['clip_id']} was given up: {row['reason']}"
        )
        for row in rows
    }


def _job(item: Transfer, how: dict[str, Any]) -> Job:
    missing = [path for path in (item.portrait, item.driving) if not path.is_file()]
    if missing:
        raise StageError(f"{missing[0]} is missing; run `pallor run` to make it")
    inputs = {"portrait": file_digest(item.portrait), "driving": file_digest(item.driving)}
    return Job(digest({**inputs, "fps": item.fps, **how}), item.clip_id, item)
