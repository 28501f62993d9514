"""Expression creases: folds that the skin shows as far as the muscle below them pulls.

The mesh is too coarse for a fold, so grooves are painted once a person as height maps and each
frame weighs them, per side, by the executed units. Three maps hold all families: those that
come near each other lie in different channels, those of one channel in different bands.

The chart is the skin's own UV square unrolled around the nose bridge: millimetres of the base
head, across + towards the person's own left, down + towards the chin.
"""

import hashlib
import json
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.units import UNITS

SIZE = 384  # pixels: 0.5 mm each
CHANNELS = 3
# UV of the nose bridge, and the size of the painted square and its first corner in UV.
_BRIDGE_U, _BRIDGE_V = 0.8386, 0.4832
_MM = 930.0  # mm a UV unit, within 5 % over the front of the face
_TOP, _SIDE, _SPAN = -80.0, -95.0, 190.0  # mm: the painted square
ORIGIN = (_BRIDGE_U + _TOP / _MM, _BRIDGE_V + _SIDE / _MM)
EXTENT = _SPAN / _MM


class Stroke(NamedTuple):
    """A groove along chart `points`; `depth`, `width` (standard deviation) in mm.

    `since` is the age in years at which the line begins to join the others, in full 25 later.
    """

    points: tuple[tuple[float, float], ...]
    depth: float
    width: float
    since: float = 0.0


class Family(NamedTuple):
    """Creases that deepen together.

    `band` (top, bottom) mm down; `reach` (from, to) mm across over which the weight goes from 1
    to 0, reversed for a family of the flank; `units` the share of each unit that pulls it.
    """

    channel: int
    band: tuple[float, float]
    reach: tuple[float, float]
    units: dict[str, float]


FAMILIES = {
    "forehead-inner": Family(0, (-80, -13), (14, 34), {"1": 1.0}),
    "forehead-outer": Family(0, (-80, -13), (34, 14), {"2": 1.0}),
    "crows-feet": Family(0, (-13, 24), (90, 95), {"6": 1.0, "7": 0.35, "12": 0.3, "43": 0.1}),
    "nasolabial": Family(0, (28, 100), (90, 95), {
        "12": 0.9, "10": 0.8, "9": 0.6, "6": 0.3, "14": 0.4, "20": 0.3, "15": 0.25,
    }),
    "glabella": Family(1, (-80, 20), (30, 40), {"4": 1.0, "9": 0.35}),
    "marionette": Family(1, (50, 110), (90, 95), {"15": 1.0, "20": 0.35, "17": 0.3}),
    "nose": Family(2, (-20, 35), (30, 40), {"9": 1.0, "10": 0.2}),
}  # fmt: skip

# Lines across the forehead run over both sides; all others are drawn on the own left.
_ACROSS = {
    0: tuple(
        Stroke(
            ((-54, down + 7), (-30, down - 1), (-10, down), (10, down), (30, down - 1),
             (54, down + 7)), depth, 1.15, since,
        )
        for down, depth, since in ((-34, 0.6, 0), (-42, 0.55, 0), (-50, 0.4, 30))
    ),
    2: (
        Stroke(((-8, -2.5), (0, -0.5), (8, -2.5)), 0.55, 1.0),
        Stroke(((-7, 3.0), (0, 5.0), (7, 3.0)), 0.35, 0.9, 30),
    ),
}  # fmt: skip
_PAIRED = {
    0: (
        # The lowest line of the forehead: the skin between the brows rises too little for one.
        Stroke(((11, -26), (22, -28), (36, -26), (54, -19)), 0.55, 1.15),
        Stroke(((46, -4), (53, -8), (61, -11)), 1.2, 1.0),
        Stroke(((47, 0.5), (56, 0), (65, -1)), 1.1, 1.0),
        Stroke(((46, 5), (54, 8), (62, 11)), 1.2, 1.0),
        Stroke(((45, 9), (51, 14), (57, 19)), 0.95, 1.0, 35),
        Stroke(((23, 9), (32, 14), (42, 11)), 0.35, 1.1, 10),
        Stroke(((15.5, 35), (21.5, 43), (27, 51), (31, 59), (32.5, 65)), 1.15, 2.2),
        Stroke(((37, 56), (40.5, 63), (40.5, 71)), 0.5, 1.7, 35),
    ),
    1: (
        Stroke(((7, -25), (5.2, -15), (5.6, -5)), 0.9, 1.3),
        Stroke(((12, -19), (10, -13), (10, -9)), 0.5, 1.0, 25),
        Stroke(((23.5, 67.5), (26, 75), (26, 85)), 0.95, 2.3),
        Stroke(((31, 71), (33, 79), (32, 87)), 0.4, 1.3, 40),
    ),
    2: (
        Stroke(((4, 9), (9, 12), (13, 13)), 0.5, 0.9),
        Stroke(((5, 15), (10, 18.5), (14, 20)), 0.5, 0.9),
        Stroke(((6, 21), (10, 25), (14, 27)), 0.35, 0.9, 20),
    ),
}


def paint(identity: Identity) -> np.ndarray:
    """(SIZE, SIZE, 3) float32 mm of skin height at full pull, grooves negative.

    Rows run with v (across), columns with u (down), as the skin's UVs lie. The lines are the
    person's own: jittered by a generator seeded with the identity's values.
    """
    return _painted(json.dumps(identity.row(), sort_keys=True), identity.age)


@lru_cache(maxsize=1)  # the clips of a chunk are one person's, mostly
def _painted(row: str, age: float) -> np.ndarray:
    rng = np.random.default_rng(list(hashlib.sha256(row.encode()).digest()))
    heights = np.zeros((SIZE, SIZE, CHANNELS), np.float32)
    for channel in range(CHANNELS):
        for stroke in _ACROSS.get(channel, ()):
            _groove(heights[..., channel], np.array(stroke.points), stroke, age, rng)
        for stroke in _PAIRED[channel]:
            for side in (1.0, -1.0):
                points = np.array(stroke.points) * [side, 1.0]
                _groove(heights[..., channel], points, stroke, age, rng)
    heights.setflags(write=False)  # shared by all who ask
    return heights


def _groove(
    heights: np.ndarray, points: np.ndarray, stroke: Stroke, age: float, rng: np.random.Generator
) -> None:
    """Press one groove with raised shoulders and soft ends into `heights`."""
    joined = 1.0 if stroke.since == 0 else float(np.clip((age - stroke.since) / 25, 0, 1))
    depth = stroke.depth * joined * _strength(age) * rng.uniform(0.75, 1.15)
    path, along = _path(points + rng.normal(0, 0.7, points.shape), rng)
    if depth == 0:
        return
    pixels = (path - [_SIDE, _TOP]) / _SPAN * SIZE - 0.5
    width = stroke.width / _SPAN * SIZE
    low = np.floor(pixels.min(axis=0) - 4 * width).astype(int).clip(0)
    high = np.ceil(pixels.max(axis=0) + 4 * width).astype(int).clip(max=SIZE)
    shape = tuple(high - low)
    grid = np.indices(shape).reshape(2, -1).T + low
    distance, nearest = cKDTree(pixels).query(grid, distance_upper_bound=4 * width)
    fade = np.append(np.sin(np.pi * along) ** 0.7, 0.0)  # the last entry: beyond reach
    r = np.minimum(distance / width, 4.0) ** 2
    pressed = depth * fade[nearest] * (1 - r / 2) * np.exp(-r / 2)
    heights[low[0] : high[0], low[1] : high[1]] -= pressed.reshape(shape).astype(np.float32)


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
    return float(np.interp(age, [18, 40, 65, 90], [0.75, 0.95, 1.15, 1.35]))


def resting(age: float) -> float:
    """How far folds stay when nothing pulls: none before 45 years, a trace in old people."""
    return float(np.interp(age, [45, 90], [0.0, 0.22]))


class Folds:
    """How far each fold of one person is pulled, over the skin's vertices."""

    def __init__(self, identity: Identity, base: BaseMesh) -> None:
        self._rest = resting(identity.age)
        across, down = chart(base)
        self._ids = np.flatnonzero((np.abs(across) < 110) & (down > -90) & (down < 120))
        across, down = across[self._ids], down[self._ids]
        left = _smooth((across + 6) / 12)
        shares = []
        for family in FAMILIES.values():
            top, bottom = family.band
            weight = _smooth((down - top + 3) / 6) * _smooth((bottom + 3 - down) / 6)
            start, end = family.reach
            weight *= 1 - _smooth((np.abs(across) - start) / (end - start))
            shares.append([weight * left, weight * (1 - left)])
        self._shares = np.array(shares)  # (F, 2, n)
        self._vertices = len(base.mesh.vertices)

    def field(self, executed: np.ndarray) -> np.ndarray:
        """(V, 3) float32 in [0, 1]: pull of each channel's folds under `executed` (U, 2)."""
        pulls = self._rest + (1 - self._rest) * pulled(executed)
        field = np.zeros((self._vertices, CHANNELS), np.float32)
        for family, shares, pull in zip(FAMILIES.values(), self._shares, pulls, strict=True):
            field[self._ids, family.channel] += pull @ shares
        return np.minimum(field, 1.0)


def pulled(executed: np.ndarray) -> np.ndarray:
    """(F, 2) pull of each family and side in [0, 1]: several units join, none adds past 1."""
    rows = {name: row for row, name in enumerate(UNITS)}
    return np.stack([
        1 - np.prod([1 - share * executed[rows[unit]] for unit, share in f.units.items()], axis=0)
        for f in FAMILIES.values()
    ])  # fmt: skip


def chart(base: BaseMesh) -> tuple[np.ndarray, np.ndarray]:
    """(V,) mm across and (V,) mm down of every vertex of the base mesh; inf off the skin."""
    uv = np.full((len(base.mesh.vertices), 2), np.inf)
    uv[base.mesh.quads[base.skin]] = base.mesh.uvs[base.skin]
    return _MM * (uv[:, 1] - _BRIDGE_V), _MM * (uv[:, 0] - _BRIDGE_U)


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
