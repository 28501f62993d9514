"""Training stills: people of a population of their own, in any pose that the units allow.

Boxes and landmarks of a render are exact. None of these people is in the corpus, the portraits or
the motion model's grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from avatars.identity import Identity
from avatars.units import UNITS
from pipeline.closure import code_digest
from pipeline.corpus.plan import person_of, plan_clip, population
from pipeline.corpus.render import render_specs, spec_of
from pipeline.files import child_seed, digest
from pipeline.params import Params
from pipeline.records import Person
from pipeline.store.store import Job, Store

Still = dict[str, list[float]]  # {unit: [own left, own right]}

ACTIVE = 0.15  # chance of each facial unit: three or four act at once, two faces in five open lips
ONE_SIDED = 0.3  # of the paired units that act
# Opposite units of an axis and how far a still may go: all of the yaw, less where necks do less.
AXES = (("51", "52", 1.0), ("53", "54", 0.8), ("55", "56", 0.8), ("61", "62", 1.0),
        ("63", "64", 1.0))  # fmt: skip


@dataclass(frozen=True)
class Stills:
    """`frames` (N, S, S, 3) uint8 RGB, `landmarks` (N, 68, 2) float32 px, who is seen in each.

    `masks` (N, S, S) uint8 are 255 where the person is, 0 where the backdrop is.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    masks: np.ndarray
    people: tuple[Person, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def part(self, chosen: slice) -> "Stills":
        """Some of them."""
        return Stills(
            self.frames[chosen], self.landmarks[chosen], self.masks[chosen], self.people[chosen]
        )


def jobs(params: Params) -> list[Job]:
    """One job a person; its stills differ in scene and pose."""
    found = []
    for number in range(params.facenets.identities):
        identity = population(params, "faces", number)
        specs = [
            _spec(params, identity, f"faces/{number}/{turn}")
            for turn in range(params.facenets.stills)
        ]
        key = digest([specs, code_digest(__name__)])
        found.append(Job(key, f"faces/{number}", (specs, person_of(identity))))
    return found


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk in one Blender process; a person's stills enter the store together."""
    specs = [spec for job in jobs for spec in job.item[0]]
    clips = render_specs(specs, store.root, store)
    for job in jobs:
        made = list(islice(clips, len(job.item[0])))
        frames = np.concatenate([frames for frames, _ in made])
        truth = {
            name: np.concatenate([truth[name] for _, truth in made])
            for name in ("landmarks_px", "segmentation")
        }
        with store.making(job.key) as folder:
            np.savez_compressed(folder / "stills.npz", frames=frames, **truth)
        store.log("rendered", name=job.name, key=job.key)


def load(jobs: Sequence[Job], store: Store) -> Stills:
    """All stills, person after person."""
    frames, marks, masks, people = [], [], [], []
    for job in jobs:
        with np.load(store.path(job.key) / "stills.npz") as stored:
            frames.append(stored["frames"])
            marks.append(stored["landmarks_px"])
            masks.append(np.where(stored["segmentation"] > 0, 255, 0).astype(np.uint8))
        people += [job.item[1]] * len(frames[-1])
    return Stills(
        np.concatenate(frames), np.concatenate(marks), np.concatenate(masks), tuple(people)
    )


def pose(rng: np.random.Generator) -> Still:
    """Units, head and gaze of one still, drawn from `rng`."""
    still: Still = {}
    for name, unit in UNITS.items():
        if rng.random() < ACTIVE:
            amount = rng.uniform(0.2, 1.0)
            sides = [amount, amount]
            if unit.paired and rng.random() < ONE_SIDED:
                sides[rng.integers(2)] = 0.0
            still[name] = [round(side, 3) for side in sides]
    for one, other, most in AXES:
        amount = rng.uniform(-most, most)
        still[one if amount > 0 else other] = [round(abs(amount), 3)] * 2
    return still


def _spec(params: Params, identity: Identity, key: str) -> dict[str, Any]:
    return spec_of(plan_clip(params, identity, key, "neutral", frames=1)) | {
        "samples": params.facenets.samples,
        "passes": ["segmentation"],
        "stills": [pose(np.random.default_rng(child_seed(params.seed, "pose", key)))],
    }
