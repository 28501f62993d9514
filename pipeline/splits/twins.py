"""Faces that stand on both sides of a split under two names: found by content, not by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.media.likeness import SAME, framings, likeness, looks, shrink
from pipeline.media.video import Frames
from pipeline.records import Sample

EVERY = 4  # frames; a clip's opening is compared with every fourth frame of the other


@dataclass(frozen=True)
class Face:
    """What is compared of a clip: (T', PIXELS, PIXELS) uint8 greys, opening first, and looks."""

    greys: np.ndarray
    looks: np.ndarray


@dataclass(frozen=True)
class Pair:
    """A test and a train sample of different groups, and how alike the faces are (1: same)."""

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
    """For each clip with a test sample the most alike train sample of another group, best first.

    `faces` by clip_id. A clip all of whose train samples are of its own group has no pair.
    """
    first = {side: _first(samples, side) for side in ("test", "train")}
    pairs = []
    for clip, sample in first["test"].items():
        others = [s for s in first["train"].values() if s.group != sample.group]
        if others:
            alike = _alike(faces[clip], [faces[s.clip_id] for s in others])
            best = int(alike.argmax())
            pairs.append(Pair(round(float(alike[best]), 4), sample, others[best]))
    return sorted(pairs, key=lambda pair: (-pair.likeness, pair.test.clip_id))


def _first(samples: Sequence[Sample], side: str) -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for sample in samples:
        if sample.side == side:
            found.setdefault(sample.clip_id, sample)
    return found


def _alike(tested: Face, others: Sequence[Face]) -> np.ndarray:
    """(N,): the best likeness of the opening of either to a frame of the other."""
    bounds = np.cumsum([0, *(len(other.looks) for other in others[:-1])])
    every = likeness(framings(tested.greys[0]), np.concatenate([o.looks for o in others]))
    openings = np.stack([other.looks[0] for other in others])
    later = [likeness(framings(grey), openings) for grey in tested.greys[1:]]
    alike = np.maximum.reduce([np.maximum.reduceat(every, bounds), *later])
    same = [bool(_pixels(tested) & _pixels(other)) for other in others]
    return np.where(same, 1.0, np.minimum(alike, 1.0))


def _pixels(one: Face) -> set[bytes]:
    return {grey.tobytes() for grey in one.greys}
