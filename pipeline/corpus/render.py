"""The render stage: avatar clips in fresh Blender processes, kept in the work store."""

import json
import zlib
from collections.abc import Iterator, Sequence
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
)  # fmt: skip

# Seconds a worker may say nothing while it makes a clip: a start on a starved machine (300 were too
# few beside ten other processes a core), and twenty times what a Cycles sample of a pixel takes.
START, SAMPLE = 900.0, 2e-5


def spec_of(clip: ClipPlan) -> dict[str, Any]:
    """The plain specification a worker renders."""
    row = clip.row()
    return {name: row[name] for name in SPEC}


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a planned clip; all that matters of study and parameters is in the plan already."""
    del study, params
    return clip_jobs(read_plan(workspace.plan).clips)


def clip_jobs(clips: Sequence[ClipPlan]) -> list[Job]:
    """One job a clip; its key is the digest of the specification and of everything behind it."""
    code = code_digest(__name__)
    return [Job(key=digest([spec_of(clip), code]), name=clip.key, item=clip) for clip in clips]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk in one Blender process; each finished clip enters the store at once."""
    clips = render_specs([spec_of(job.item) for job in jobs], store.root, store)
    for job, (frames, truth) in zip(jobs, clips, strict=True):
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", frames, job.item.fps)
            np.savez(folder / "clip.npz", **truth)
        store.log("rendered", name=job.name, clip=job.item.clip_id, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Write <clip_id>.mp4 and <clip_id>.npz; failed.jsonl when clips were given up."""
    with writing_folder(workspace.clips) as part:
        made, failed = store.sorted_out(jobs)
        if failed:
            rows = [
                {"clip_id": job.item.clip_id, "name": job.name, "reason": reason}
                for job, reason in failed
            ]
            write_jsonl(part / "failed.jsonl", rows)
        for job in made:
            for suffix in ("mp4", "npz"):
                source = store.path(job.key) / f"clip.{suffix}"
                (part / f"{job.item.clip_id}.{suffix}").write_bytes(source.read_bytes())


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
    if not specs:  # no Blender for nothing
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
            "clips": [{"spec": s, "out": str(o)} for s, o in zip(specs, outs, strict=True)],
        }
        (scratch / "request.json").write_text(json.dumps(request))
        patience = max((_patience(spec) for spec in specs), default=START)
        for line in worker_lines(scratch / "request.json", patience, store):
            if line.startswith("done "):
                out = outs[int(line.split()[1])]
                yield np.load(out / "frames.npy"), read_truth(out / "truth.npz")
            else:
                store.log("worker", line=line)


def _patience(spec: dict[str, Any]) -> float:
    return float(START + SAMPLE * spec["frames"] * spec["size"] ** 2 * spec["samples"])
