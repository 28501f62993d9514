"""Faces that stand on both sides of a split under two names: found by content, not by id."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.media.likeness import (
    SAME,
    finalists,
    framings,
    likeness,
    looks,
    nearness,
    shrink,
)  # fmt: skip
from pipeline.media.video import Frames
from pipeline.records import Sample

Look = tuple[np.ndarray, np.ndarray, int]  # two greys and the framing of the first
EVERY = 4  # frames; a clip's opening is compared with every fourth frame of the other


@dataclass(frozen=True)
class Face:
    """What is compared of a clip: (T', PIXELS, PIXELS) uint8 greys, opening first, and looks."""

    greys: np.ndarray
    looks: np.ndarray


@dataclass(frozen=True)
class Pair:
    """A test and a train sample of different groups, and how near the faces are (1: same).

    `likeness` is that of the closer look (`pipeline.media.likeness`); 0 where none was needed.
    """

    nearness: float
    likeness: float
    test: Sample
    train: Sample

    @property
    def twins(self) -> bool:
        """Is it one face, as far as pictures tell?"""
        return self.likeness > SAME


def face(frames: Frames) -> Face:
    """What of (T, H, W, 3) uint8 crops is compared."""
    greys = np.stack([shrink(frame) for frame in frames[::EVERY]])
    return Face(greys, looks(greys))


def nearest_pairs(samples: Sequence[Sample], faces: Mapping[str, Face]) -> list[Pair]:
    """For each clip with a test sample the nearest train sample of another group, twins first.

    `faces` by clip_id. A clip all of whose train samples are of its own group has no pair.
    """
    first = {side: _first(samples, side) for side in ("test", "train")}
    pairs = []
    for clip, sample in first["test"].items():
        others = [s for s in first["train"].values() if s.group != sample.group]
        if others:
            found = _nearest(faces[clip], [faces[s.clip_id] for s in others])
            number, near, alike = max(found, key=lambda it: (it[2] > SAME, it[1]))
            pairs.append(Pair(round(near, 4), alike, sample, others[number]))
    return sorted(pairs, key=lambda pair: (not pair.twins, -pair.nearness, pair.test.clip_id))


def _first(samples: Sequence[Sample], side: str) -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for sample in samples:
        if sample.side == side:
            found.setdefault(sample.clip_id, sample)
    return found


def _nearest(tested: Face, others: Sequence[Face]) -> list[tuple[int, float, float]]:
    """(number, nearness, likeness) of the few nearest others; likeness is 0 where none is near.

    The opening of either is compared with the frames of the other.
    """
    near, looked = _compared(tested, others)
    for number, other in enumerate(others):
        if _pixels(tested) & _pixels(other):
            near[number] = 1.0
    found = finalists(near)
    if not found:
        best = int(near.argmax())
        return [(best, float(near[best]), 0.0)]
    return [(n, float(near[n]), likeness(*looked(n)) if near[n] < 1 else 1.0) for n in found]


def _compared(tested: Face, others: Sequence[Face]) -> tuple[np.ndarray, Callable[[int], Look]]:
    """(N,) nearness of each other face, and what deserves a closer look of one of them."""
    starts = np.cumsum([0, *(len(other.looks) for other in others[:-1])])
    every, how = nearness(framings(tested.greys[0]), np.concatenate([o.looks for o in others]))
    openings = np.stack([other.looks[0] for other in others])
    later = [nearness(framings(grey), openings) for grey in tested.greys[1:]]
    near = np.stack([np.maximum.reduceat(every, starts), *(values for values, _ in later)])

    def nearest(number: int) -> Look:
        frame, other = int(near[:, number].argmax()), others[number]
        if frame:
            return tested.greys[frame], other.greys[0], int(later[frame - 1][1][number])
        first = starts[number]
        at = int(every[first : first + len(other.looks)].argmax())
        return tested.greys[0], other.greys[at], int(how[first + at])

    return np.minimum(near.max(axis=0), 1.0), nearest


def _pixels(one: Face) -> set[bytes]:
    return {grey.tobytes() for grey in one.greys}
