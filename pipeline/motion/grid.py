"""Training clips of the motion model: every person performs every motion.

That grid holds exact answers no camera can film: the truth of "A moves as B did" is the rendered
clip of A. The people are a population of their own, none of them in the corpus.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from avatars import expression
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import read_truth
from pipeline.files import child_seed
from pipeline.media.video import read_clip
from pipeline.params import Params
from pipeline.records import ClipPlan
from pipeline.store.store import Job, Store

SECONDS = 2.0  # of a training clip, as long as a corpus clip


def training_clips(params: Params) -> list[ClipPlan]:
    """One clip for each (person, motion), persons first; the motion's seed is shared by all."""
    motion = params.motion
    motions = motion.expressions or expression.names()
    clips = []
    for person, number in product(range(motion.identities), range(motion.performances)):
        identity = population(params, "motion", person)
        name = motions[number % len(motions)]
        clip = plan_clip(params, identity, f"motion/{person}/{number}", name, motion.frames)
        shared = {
            "seed": child_seed(params.seed, "motion", number),
            "fps": int(motion.frames / SECONDS),
            "samples": motion.samples,
        }
        clips.append(clip.model_copy(update=shared))
    return clips


def load_grid(jobs: Sequence[Job], store: Store, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Frames (P, M, T, S, S, 3) uint8 and landmarks (P, M, T, 68, 2) float32 px of the grid."""
    shape = (params.motion.identities, params.motion.performances)
    frames = np.stack([read_clip(store.path(job.key) / "clip.mp4") for job in jobs])
    marks = np.stack([read_truth(store.path(job.key) / "clip.npz")["landmarks_px"] for job in jobs])
    return frames.reshape(*shape, *frames.shape[1:]), marks.reshape(*shape, *marks.shape[1:])
