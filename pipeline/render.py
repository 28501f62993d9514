"""The render stage: avatar clips in fresh Blender processes, kept in the work store."""

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import avatars
from avatars.assets import REGISTER, find
from avatars.errors import AssetError as MissingAsset
from pipeline.errors import AssetError, ClipError
from pipeline.files import digest, tree_digest, writing_folder
from pipeline.params import Params
from pipeline.records import ClipPlan
from pipeline.store import Job, Store
from pipeline.video import Frames, write_clip

Truth = dict[str, np.ndarray]
# What of a planned clip decides its bytes; ids, keys and the person's summary do not.
SPEC = (
    "identity", "expression", "scene", "seed", "frames", "fps", "size", "samples", "conditions",
)  # fmt: skip

_cores: queue.SimpleQueue[int] = queue.SimpleQueue()
for _core in sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []:
    _cores.put(_core)


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Digest of the avatar code, its data files, the asset hashes and Blender's version."""
    code = tree_digest(Path(avatars.__file__).parent)
    return digest([code, [package.sha256 for package in REGISTER], version("bpy")])


def spec_of(clip: ClipPlan) -> dict[str, Any]:
    """The plain specification a worker renders."""
    row = clip.row()
    return {name: row[name] for name in SPEC}


def jobs(clips: Sequence[ClipPlan], params: Params) -> list[Job]:
    """One job a clip; its key is the digest of the specification and of everything behind it."""
    del params  # all that matters of them is in the plan already
    return [
        Job(key=digest([spec_of(clip), code_digest()]), name=clip.key, item=clip) for clip in clips
    ]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk in one Blender process; each finished clip enters the store at once."""
    clips = render_specs([spec_of(job.item) for job in jobs], store.root, store)
    for job, (frames, truth) in zip(jobs, clips, strict=True):
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", frames, job.item.fps)
            np.savez(folder / "clip.npz", **truth)
        store.log("rendered", name=job.name, clip=job.item.clip_id, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, out: Path) -> None:
    """Fill `out` with <clip_id>.mp4 and <clip_id>.npz."""
    with writing_folder(out) as part:
        for job in jobs:
            for suffix in ("mp4", "npz"):
                source = store.path(job.key) / f"clip.{suffix}"
                (part / f"{job.item.clip_id}.{suffix}").write_bytes(source.read_bytes())


def read_truth(path: Path) -> Truth:
    """The arrays of a clip's truth file; ClipError when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError) as error:
        raise ClipError(f"{path} is no readable truth file: {error}") from error


def render_specs(
    specs: Sequence[dict[str, Any]], home: Path, store: Store
) -> Iterator[tuple[Frames, Truth]]:
    """Frames and truth of each specification, in order, as one worker process finishes them.

    Raises ClipError with the worker's own sentence when it fails, AssetError without assets.
    """
    try:
        assets = find(home)
    except MissingAsset as error:
        raise AssetError(str(error)) from error
    core = None if _cores.empty() else _cores.get()
    try:
        with tempfile.TemporaryDirectory(prefix="pallor-render-") as scratch:
            yield from _run_worker(specs, assets.root, core, Path(scratch), store)
    finally:
        if core is not None:
            _cores.put(core)


def _run_worker(
    specs: Sequence[dict[str, Any]], assets: Path, core: int | None, scratch: Path, store: Store
) -> Iterator[tuple[Frames, Truth]]:
    outs = [scratch / str(number) for number in range(len(specs))]
    for out in outs:
        out.mkdir()
    request = {
        "assets": str(assets.resolve()),
        "threads": 1,  # one a worker: two pinned workers beat one with two threads
        "core": core,
        "clips": [{"spec": s, "out": str(o)} for s, o in zip(specs, outs, strict=True)],
    }
    (scratch / "request.json").write_text(json.dumps(request))
    root = Path(avatars.__file__).parent.parent
    with (
        (scratch / "request.json").open() as stdin,
        (scratch / "stderr").open("w+") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "avatars.worker"],
            stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=root,
        ) as worker,
    ):  # fmt: skip
        try:
            yield from _collect(worker, outs, store)
        finally:
            worker.kill()
            worker.wait()
        stderr.seek(0)
        if worker.returncode:
            raise ClipError(f"a Blender worker failed: {_last_line(stderr.read())}")


def _collect(
    worker: "subprocess.Popen[str]", outs: list[Path], store: Store
) -> Iterator[tuple[Frames, Truth]]:
    assert worker.stdout is not None
    for line in worker.stdout:
        if line.startswith("done "):
            out = outs[int(line.split()[1])]
            yield np.load(out / "frames.npy"), read_truth(out / "truth.npz")
        else:
            store.log("worker", line=line.strip())
    worker.wait()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it ended without a word (killed for memory?)"
