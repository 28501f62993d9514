"""Training clips of the motion model: every person performs every motion.

That grid holds exact answers no camera can film: the truth of "A moves as B did" is the rendered
clip of A. The people are a population of their own, none of them in the corpus.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from avatars import expression
from fomm.config import CONFIGS
from fomm.data import Performances
from fomm.exact import Surfaces
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import Truth, read_truth
from pipeline.files import child_seed
from pipeline.media.video import read_clip
from pipeline.params import Params
from pipeline.records import ClipPlan
from pipeline.store.store import Job, Store

SECONDS = 2.0  # of a training clip, as long as a corpus clip


def training_clips(params: Params, people: str = "motion") -> list[ClipPlan]:
    """One clip for each (person, motion), persons first; the motion's seed is shared by all.

    `people` names their population: those of another name are never trained on.
    """
    motion = params.motion
    motions = motion.expressions or expression.names()
    clips = []
    for person, number in product(range(motion.identities), range(motion.performances)):
        identity = population(params, people, person)
        name = motions[number % len(motions)]
        clip = plan_clip(params, identity, f"{people}/{person}/{number}", name, motion.frames)
        shared = {
            "seed": child_seed(params.seed, people, number),
            "fps": int(motion.frames / SECONDS),
            "samples": motion.samples,
            "size": max(params.plan.size, CONFIGS[motion.network].size)
            if motion.network != "blend-128"
            else params.plan.size,
            "passes": ["surface"],
        }
        clips.append(clip.model_copy(update=shared))
    return clips


def load_grid(jobs: Sequence[Job], store: Store, params: Params) -> Performances:
    """The grid's frames, landmarks and surfaces, of every person's every motion."""
    shape = (params.motion.identities, params.motion.performances)
    films = [job for job in jobs if isinstance(job.item, ClipPlan)]
    frames = np.stack([read_clip(store.path(job.key) / "clip.mp4") for job in films])
    truth = [
        read_truth(store.path(job.key) / "passes.npz") for job in jobs if job not in films
    ]  # fmt: skip
    marks = np.stack([clip["landmarks_px"] for clip in truth])
    return Performances(
        frames.reshape(*shape, *frames.shape[1:]),
        marks.reshape(*shape, *marks.shape[1:]),
        _surfaces(truth),
    )


def _surfaces(truth: Sequence[Truth]) -> Surfaces:
    """Of all frames in their order; one list of triangles holds for all people."""
    [corners] = np.unique([clip["surface_corners"] for clip in truth], axis=0)
    most = max(clip["surface_tracks"].shape[1] for clip in truth)
    tracks = [
        np.pad(own, ((0, 0), (0, most - own.shape[1]), (0, 0)))
        for own in (clip["surface_tracks"] for clip in truth)
    ]
    names = ("cells", "where", "screen", "depth")
    return Surfaces(
        corners=corners,
        tracks=np.concatenate(tracks),
        **{name: np.concatenate([clip[f"surface_{name}"] for clip in truth]) for name in names},
    )
