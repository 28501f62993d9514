"""People whom no motion model was trained on, rendered for `transfer.py` and kept in the store."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from fomm.data import Performances
from pipeline.corpus import render
from pipeline.motion.grid import load_grid, training_clips
from pipeline.params import Params
from pipeline.store.store import Job, Store

POPULATION = "judged"  # its people are in no corpus and in no training
# The five displays, both turns among them, and what a face does that is no display.
MOTIONS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R", "talking", "smiling")
FRAMES = 4  # rest, onset, apex and offset of two seconds
WORKERS = 2  # Blender processes, each on a core of its own


@dataclass(frozen=True)
class Judged:
    """P people x M motions: films with landmarks and surfaces, and what they hold by truth.

    `units` name > (P, M) executed intensity at the apex; `yaw` (P, M, T) degrees, + own left.
    """

    films: Performances
    units: dict[str, np.ndarray]
    yaw: np.ndarray
    motions: tuple[str, ...]


def judged(root: Path, params: Params, people: int) -> Judged:
    """The held-out people below `root`, rendered where they are not at hand yet."""
    chosen = {
        "identities": people, "performances": len(MOTIONS), "expressions": list(MOTIONS),
        "frames": FRAMES,
    }  # fmt: skip
    params = params.model_copy(update={"motion": params.motion.model_copy(update=chosen)})
    clips = training_clips(params, POPULATION)
    films = render.clip_jobs(clips)
    made, store = [*films, *render.pass_jobs(clips)], Store(root, "judge")
    _render([job for job in made if not store.has(job.key)], root)
    truths = [render.read_truth(store.path(job.key) / "clip.npz") for job in films]
    shape = (people, len(MOTIONS))
    apex = np.array([t["executed"].max(axis=(0, 2)) for t in truths]).reshape(*shape, -1)
    return Judged(
        load_grid(made, store, params),
        {str(name): apex[..., n] for n, name in enumerate(truths[0]["units"])},
        np.array([t["head_deg"][:, 0] for t in truths]).reshape(*shape, FRAMES),
        MOTIONS,
    )


def _render(missing: list[Job], root: Path) -> None:
    if not missing:
        return
    print(f"{len(missing)} items of held-out people are rendered once", flush=True)
    step = len(MOTIONS)
    chunks = [missing[at : at + step] for at in range(0, len(missing), step)]
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(_work, chunks, [root] * len(chunks)), start=1):
            print(f"chunk {number} of {len(chunks)}", flush=True)


def _work(jobs: list[Job], root: Path) -> None:
    render.work(jobs, Store(root, "judge"))
