"""Where a face folds: the lines of each crease, pressed into a person's height maps.

The chart is the skin's own UV square unrolled around the nose bridge: millimetres of the base
head, across + towards the person's own left, down + towards the chin. Lines follow the relaxed
skin's folds as FACS describes them a unit (Ekman, Friesen & Hager 2002).
"""

import hashlib
import json
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from avatars.identity import Identity

SIZE = 384  # pixels: 0.5 mm each
CHANNELS = 3
# UV of the nose bridge, and the size of the painted square and its first corner in UV.
BRIDGE = (0.8386, 0.4832)
MM = 930.0  # mm a UV unit, within 5 % over the front of the face
_TOP, _SIDE, _SPAN = -80.0, -95.0, 190.0  # mm: the painted square
ORIGIN = (BRIDGE[0] + _TOP / MM, BRIDGE[1] + _SIDE / MM)
EXTENT = _SPAN / MM


class Stroke(NamedTuple):
    """A groove along chart `points`; `depth`, `width` (standard deviation) in mm.

    `since` is the age in years at which the line begins to join the others, in full 25 later.
    """

    points: tuple[tuple[float, float], ...]
    depth: float
    width: float
    since: float = 0.0


# Lines across the forehead run over both sides; all others are drawn on the own left.
_ACROSS = {
    0: tuple(
        Stroke(
            ((-54, down + 7), (-30, down - 1), (-10, down), (10, down), (30, down - 1),
             (54, down + 7)), depth, 1.3, since,
        )
        for down, depth, since in ((-34, 0.7, 0), (-43, 0.65, 0), (-52, 0.5, 30), (-61, 0.4, 45))
    ),
    2: (
        # The nose root, and the crease between lower lip and chin.
        Stroke(((-9, -2.5), (0, -0.5), (9, -2.5)), 0.8, 1.1),
        Stroke(((-8, 3.0), (0, 5.0), (8, 3.0)), 0.55, 1.0, 20),
        Stroke(((-15, 90), (0, 87), (15, 90)), 0.7, 1.8),
    ),
}  # fmt: skip
_PAIRED = {
    0: (
        # The lowest line of the forehead: the skin between the brows rises too little for one.
        Stroke(((11, -26), (22, -28), (36, -26), (54, -19)), 0.55, 1.15),
        Stroke(((46, -4), (53, -8), (61, -11)), 1.3, 1.1),
        Stroke(((47, 0.5), (56, 0), (65, -1)), 1.2, 1.1),
        Stroke(((46, 5), (54, 8), (62, 11)), 1.3, 1.1),
        Stroke(((45, 9), (51, 14), (57, 19)), 1.0, 1.1, 30),
        Stroke(((19, 8), (27, 14), (36, 15), (44, 11)), 0.75, 1.3, 5),
        Stroke(((22, 14), (30, 19), (40, 19)), 0.5, 1.3, 35),
        Stroke(((15.5, 35), (21.5, 43), (27, 51), (31, 59), (32.5, 65)), 1.3, 2.3),
        Stroke(((37, 56), (40.5, 63), (40.5, 71)), 0.6, 1.8, 35),
    ),
    1: (
        Stroke(((7, -25), (5.2, -15), (5.6, -5)), 1.1, 1.4),
        Stroke(((12, -19), (10, -13), (10, -9)), 0.6, 1.1, 20),
        Stroke(((23.5, 67.5), (26.5, 75), (27, 86)), 1.1, 2.3),
        Stroke(((31, 71), (33, 79), (32, 87)), 0.5, 1.4, 40),
    ),
    2: (
        Stroke(((4, 9), (9, 12), (13, 13)), 0.75, 1.0),
        Stroke(((5, 15), (10, 18.5), (14, 20)), 0.75, 1.0),
        Stroke(((6, 21), (10, 25), (14, 27)), 0.5, 1.0, 15),
    ),
}
# A raised chin is dimpled like orange peel: pits of this channel, within these mm.
_CHIN, _CHIN_MIDDLE, _CHIN_REACH, _PITS, _PIT_MM = 2, (0.0, 96.0), (13.0, 7.0), 26, 1.4


def paint(identity: Identity) -> np.ndarray:
    """(SIZE, SIZE, 3) float32 mm of skin height at full pull, grooves negative.

    Rows run with v (across), columns with u (down), as the skin's UVs lie. The lines are the
    person's own: jittered by a generator seeded with the identity's values.
    """
    return _painted(json.dumps(identity.row(), sort_keys=True), identity.age)


@lru_cache(maxsize=1)  # the clips of a chunk are one person's, mostly
def _painted(row: str, age: float) -> np.ndarray:
    rng = generator(row)
    heights = np.zeros((SIZE, SIZE, CHANNELS), np.float32)
    for channel in range(CHANNELS):
        for stroke in _ACROSS.get(channel, ()):
            _fold(heights[..., channel], stroke.points, stroke, age, rng)
        for stroke in _PAIRED[channel]:
            for side in (1.0, -1.0):
                points = tuple((side * across, down) for across, down in stroke.points)
                _fold(heights[..., channel], points, stroke, age, rng)
    _dimple(heights[..., _CHIN], rng)
    heights.setflags(write=False)  # shared by all who ask
    return heights


def generator(row: str) -> np.random.Generator:
    """The generator of a person's own lines, seeded with the text of their values."""
    return np.random.default_rng(list(hashlib.sha256(row.encode()).digest()))


def _fold(
    heights: np.ndarray, points: tuple[tuple[float, float], ...], stroke: Stroke, age: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    joined = 1.0 if stroke.since == 0 else float(np.clip((age - stroke.since) / 25, 0, 1))
    depth = stroke.depth * joined * _strength(age) * rng.uniform(0.75, 1.15)
    placed = np.array(points) + rng.normal(0, 0.7, (len(points), 2))
    press(heights, placed, depth, stroke.width, rng)


def _dimple(heights: np.ndarray, rng: np.random.Generator) -> None:
    spread = np.clip(rng.normal(0, 0.5, (_PITS, 2)), -1, 1) * _CHIN_REACH
    for middle in _CHIN_MIDDLE + spread:
        pit = middle + np.array([[-0.8, 0.0], [0.8, 0.3]])
        press(heights, pit, rng.uniform(0.3, 0.7), _PIT_MM, rng)


def press(
    heights: np.ndarray, points: np.ndarray, depth: float, width: float, rng: np.random.Generator
) -> None:
    """Press one groove with raised shoulders and soft ends into `heights` (SIZE, SIZE).

    `points` (n, 2) mm of the chart; `depth` and `width` (standard deviation) in mm. What lies
    beyond the chart is cut.
    """
    path, along = _path(points, rng)
    if depth == 0:
        return
    (rows, columns), distance, nearest = around(path, 4 * width)
    fade = np.append(np.sin(np.pi * along) ** 0.7, 0.0)  # the last entry: beyond reach
    r = np.minimum(distance / width, 4.0) ** 2
    pressed = depth * fade[nearest] * (1 - r / 2) * np.exp(-r / 2)
    heights[rows, columns] -= pressed.astype(np.float32)


def around(path: np.ndarray, reach: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """The pixels within `reach` mm of a `path` (n, 2) in mm: their block of the chart, their
    distance in mm (inf beyond reach) and the nearest of the n points (n beyond reach)."""
    scale = SIZE / _SPAN
    pixels = (path - [_SIDE, _TOP]) * scale - 0.5
    low = np.floor(pixels.min(axis=0) - reach * scale).astype(int).clip(0, SIZE)
    high = np.ceil(pixels.max(axis=0) + reach * scale).astype(int).clip(0, SIZE)
    shape = tuple(high - low)
    grid = np.indices(shape).reshape(2, -1).T + low
    distance, nearest = cKDTree(pixels).query(grid, distance_upper_bound=reach * scale)
    block = (slice(low[0], high[0]), slice(low[1], high[1]))
    return block, distance.reshape(shape) / scale, nearest.reshape(shape)


def _path(points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) mm along a smooth curve through the points with a slow waver, and (n,) in [0, 1]."""
    reach = np.r_[0, np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()]
    along = np.linspace(0, 1, int(reach[-1]) + 2)
    curve = np.stack([np.interp(along * reach[-1], reach, column) for column in points.T], axis=1)
    kernel = np.ones(7) / 7
    padded = np.pad(curve, ((3, 3), (0, 0)), mode="edge")
    curve = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)
    waver = 0.5 * np.sin(2 * np.pi * (along * reach[-1] / rng.uniform(14, 24) + rng.random()))
    return curve + waver[:, None] * rng.uniform(0.3, 1.0, 2), along


def _strength(age: float) -> float:
    """Depth of a person's folds at full pull: thin skin folds more sharply."""
    return float(np.interp(age, [18, 40, 65, 90], [0.8, 1.0, 1.25, 1.5]))
