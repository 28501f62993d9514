"""Clips that show what another clip shows already: the same file again, or the same film re-made.

A copy under another name would stand on both sides of a split and count twice in every figure.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from pipeline.faces.quality import Rejected
from pipeline.media.video import Frames

SIDE = 16  # pixels a side that crops are compared at: coding and noise average out
# Correlation. Of 81 rendered clips no two reached 0.97, their re-coded copies had 0.995.
SAME = 0.99


def look(frames: Frames) -> np.ndarray:
    """(T, H, W, 3) uint8 > (T, SIDE, SIDE) uint8 grey, what clips are compared by.

    Whole frames, not crops: a detector may find another box in a copy.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return np.stack([cv2.resize(g, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for g in greys])


def find_duplicates(looks: Mapping[str, np.ndarray]) -> dict[str, Rejected]:
    """clip_id > why, for each clip that repeats one before it in the order of ids.

    `looks` are `look`s of the clips. Light and contrast do not count; a copy that was mirrored,
    cut in time or framed anew is not found.
    """
    found: dict[str, Rejected] = {}
    for names in _of_one_length(looks):
        alike = _correlations(np.stack([looks[name] for name in names]))
        for number, name in enumerate(names):
            twin = _first_twin(alike[number, :number])
            if twin is not None:
                same = np.array_equal(looks[name], looks[names[twin]])
                found[name] = _rejection(names[twin], same, alike[number, twin])
    return found


def _of_one_length(looks: Mapping[str, np.ndarray]) -> list[list[str]]:
    by_length: dict[int, list[str]] = {}
    for name in sorted(looks):
        by_length.setdefault(len(looks[name]), []).append(name)
    return list(by_length.values())


def _correlations(looks: np.ndarray) -> np.ndarray:
    rows = looks.reshape(len(looks), -1).astype(np.float64)
    rows -= rows.mean(1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return rows @ rows.T


def _first_twin(alike: np.ndarray) -> int | None:
    twins = np.flatnonzero(alike > SAME)
    return int(twins[0]) if len(twins) else None


def _rejection(twin: str, same: bool, correlation: float) -> Rejected:
    if same:
        return Rejected("duplicate", f"its frames are those of {twin}")
    return Rejected("near_duplicate", f"it shows what {twin} shows: correlation {correlation:.3f}")
