"""The render stage: avatar clips in fresh Blender processes, kept in the work store.

Passes are items of their own: they are geometry, so a clip that is at hand gets them without a
second rendering.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from avatars.assets import find
from avatars.errors import AssetError as MissingAsset
from pipeline.closure import code_digest
from pipeline.corpus.planned import read_plan
from pipeline.corpus.worker import own_core, worker_lines
from pipeline.errors import AssetError, ClipError
from pipeline.files import digest, write_jsonl, writing_folder
from pipeline.media.video import Frames, write_clip
from pipeline.portable import standing
from pipeline.records import ClipPlan
from pipeline.store.store import Job, Store

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace

Truth = dict[str, np.ndarray]
# What of a planned clip decides its bytes; ids, keys and the person's summary do not.
SPEC = (
    "identity", "expression", "scene", "seed", "frames", "fps", "size", "samples", "conditions",
    "signs", "occluders",
)  # fmt: skip

# Seconds a worker may say nothing while it makes a clip: a start on a starved machine (300 were too
# few beside ten other processes a core), and twenty times what a Cycles sample of a pixel takes.
START, SAMPLE = 900.0, 2e-5


def spec_of(clip: ClipPlan) -> dict[str, Any]:
    """The plain specification a worker renders."""
    row = clip.row()
    return {name: row[name] for name in SPEC if name in row}  # no signs, no row of them


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a planned clip; all that matters of study and parameters is in the plan already."""
    del study, params
    clips = read_plan(workspace.plan).clips
    return [*clip_jobs(clips), *pass_jobs(clips)]


def clip_jobs(clips: Sequence[ClipPlan]) -> list[Job]:
    """One job a clip; its key is the digest of the specification and of everything behind it."""
    code = code_digest(__name__)
    return [Job(key=digest([spec_of(clip), code]), name=clip.key, item=clip) for clip in clips]


@dataclass(frozen=True)
class Passes:
    """The per-pixel truth that a planned clip is to have."""

    clip: ClipPlan

    @property
    def clip_id(self) -> str:
        """Whose passes they are."""
        return self.clip.clip_id


def pass_jobs(clips: Sequence[ClipPlan]) -> list[Job]:
    """One job more for each clip that has passes."""
    code = code_digest(__name__)
    return [
        Job(digest([spec_of(clip), clip.passes, code]), f"passes of {clip.key}", Passes(clip))
        for clip in clips
        if clip.passes
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk in one Blender process; each finished item enters the store at once."""
    filmed = [job for job in jobs if isinstance(job.item, ClipPlan)]
    clips = render_specs([spec_of(job.item) for job in filmed], store.root, store)
    for job, (frames, truth) in zip(filmed, clips, strict=True):
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", frames, job.item.fps)
            np.savez(folder / "clip.npz", **truth)
        store.log("rendered", name=job.name, clip=job.item.clip_id, key=job.key)
    measured = [job for job in jobs if isinstance(job.item, Passes)]
    specs = [spec_of(job.item.clip) | {"passes": job.item.clip.passes} for job in measured]
    for job, truth in zip(measured, measure_specs(specs, store.root, store), strict=True):
        with store.making(job.key) as folder:
            np.savez_compressed(folder / "passes.npz", **truth)
        store.log("measured", name=job.name, clip=job.item.clip_id, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Write <clip_id>.mp4 and <clip_id>.npz, passes included; failed.jsonl of clips given up."""
    with writing_folder(workspace.clips) as part:
        made, failed = store.sorted_out(jobs)
        reasons = {job.item.clip_id: (job.name, reason) for job, reason in failed}
        if reasons:
            rows = [
                {"clip_id": i, "name": n, "reason": reason} for i, (n, reason) in reasons.items()
            ]
            write_jsonl(part / "failed.jsonl", rows)
        whole = [job for job in made if job.item.clip_id not in reasons]
        passes = {job.item.clip_id: job for job in whole if isinstance(job.item, Passes)}
        for job in (job for job in whole if isinstance(job.item, ClipPlan)):
            home, name = store.path(job.key), job.item.clip_id
            (part / f"{name}.mp4").write_bytes((home / "clip.mp4").read_bytes())
            truth = store.path(passes[name].key) / "passes.npz" if name in passes else None
            (part / f"{name}.npz").write_bytes((truth or home / "clip.npz").read_bytes())


def read_truth(path: Path) -> Truth:
    """The arrays of a clip's truth file; ClipError when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, LookupError, BadZipFile, zlib.error) as error:
        raise ClipError(f"{path} is no readable truth file: {error}") from error


def render_specs(
    specs: Sequence[dict[str, Any]], home: Path, store: Store
) -> Iterator[tuple[Frames, Truth]]:
    """Frames and truth of each specification, in order, as one worker process finishes them.

    Raises ClipError with the worker's own sentence when it fails, AssetError without assets.
    """
    for out in _made(specs, home, store, colour=True):
        yield np.load(out / "frames.npy"), read_truth(out / "truth.npz")


def measure_specs(
    specs: Sequence[dict[str, Any]], home: Path, store: Store
) -> Iterator[Truth]:  # fmt: skip
    """The truth of each specification with its passes, in order; no frame is rendered.

    Raises as `render_specs` does.
    """
    for out in _made(specs, home, store, colour=False):
        yield read_truth(out / "truth.npz")


def _made(
    specs: Sequence[dict[str, Any]], home: Path, store: Store, *, colour: bool
) -> Iterator[Path]:  # fmt: skip
    """The folder of each specification, as one worker process fills them."""
    if not specs:  # no process for nothing
        return
    try:
        assets = find(home)
    except MissingAsset as error:
        raise AssetError(str(error)) from error
    with own_core() as core, store.scratch() as scratch:
        outs = [scratch / str(number) for number in range(len(specs))]
        for out in outs:
            out.mkdir()
        request = {
            "assets": str(assets.root.resolve()),
            "threads": 1,  # one a worker: two pinned workers beat one with two threads
            "core": core,
            "portable": standing()[0] == "portable",
            "colour": colour,
            "clips": [{"spec": s, "out": str(o)} for s, o in zip(specs, outs, strict=True)],
        }
        (scratch / "request.json").write_text(json.dumps(request))
        patience = max((_patience(spec) for spec in specs), default=START)
        for line in worker_lines(scratch / "request.json", patience, store):
            if line.startswith("done "):
                yield outs[int(line.split()[1])]
            else:
                store.log("worker", line=line)


def _patience(spec: dict[str, Any]) -> float:
    return float(START + SAMPLE * spec["frames"] * spec["size"] ** 2 * spec["samples"])
