"""A face as things are fitted to it: landmarks, outer surface, where ears are, sheets and bands.

Decimetres of the mesh: x own left, y up, z forwards.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from avatars import landmarks, solids
from avatars.basemesh import BaseMesh
from avatars.solids import Solid
from avatars.surface import Surface

_LIFT = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Piece:
    """A mesh of one material; `follows` the skin next to it, the jaw around it or bones alone."""

    name: str
    solid: Solid
    material: str
    follows: Literal["skin", "jaw", "bones"]
    bone: int | None = None  # column of the neck chain; None: as the skin next to it


class Fitting:
    """A neutral face as the makers ask it."""

    def __init__(self, neutral: np.ndarray, base: BaseMesh) -> None:
        self.neutral = neutral
        self.marks = landmarks.locate(neutral)  # (68, 3)
        head = base.weights[:, -1] > 0.5
        self._quads = base.mesh.quads[base.skin]
        self._quads = self._quads[head[self._quads].all(axis=1)]
        self.head = neutral[np.unique(self._quads)]

    @cached_property
    def surface(self) -> Surface:
        """The head's outer surface."""
        return Surface(self.neutral, self._quads)

    @cached_property
    def middle(self) -> np.ndarray:
        """(3,) middle of the skull at the height of the brows."""
        brow = self.marks[17:27, 1].mean()
        front = self.surface.front(np.zeros(1), np.array([brow]))[0, 2]
        back = self.head[np.abs(self.head[:, 1] - brow) < 0.3, 2].min()
        return np.array([0.0, brow, (front + back) / 2])

    def ear(self, side: float) -> np.ndarray:
        """(3,) where a thing lies in the crease above the ear; `side` 1 is the own left."""
        reach = self.head[:, 0].max()
        helix = self.head[self.head[:, 0] > 0.9 * reach]
        top = helix[helix[:, 1].argmax()]
        return np.array([side * 0.88 * reach, top[1] + 0.01, top[2] + 0.03])

    def to_ear(self, start: np.ndarray, side: float, lift: float) -> np.ndarray:
        """(n, 3) along the cheek from near `start` over the ear and down behind it."""
        ear = self.ear(side)
        first, last = (np.arctan2(p[0], p[2] - self.middle[2]) for p in (start, ear))
        share = np.linspace(0.15, 0.93, 9)
        height = start[1] + (ear[1] - start[1]) * share**1.3
        lying = self.around(first + (last - first) * share, height, lift)
        return np.concatenate([lying, [ear], [ear + np.array([side * 0.01, -0.28, -0.30])]])

    def cheek(self, points: np.ndarray, lift: float) -> np.ndarray:
        """(n, 3) foremost skin at (n, 2) points, `lift` in front of it."""
        found = self.surface.front(points[:, 0], points[:, 1])
        return np.asarray(found + lift * _LIFT)

    def around(self, angles: np.ndarray, height: np.ndarray, lift: float) -> np.ndarray:
        """(n, 3) on the head's outside at `angles` (radians, 0 ahead) and `height`, lifted."""
        start = np.stack([np.zeros_like(angles), height, np.full_like(angles, self.middle[2])], 1)
        towards = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=1)
        return np.asarray(self.surface.outermost(start, towards) + lift * towards)

    def patch(
        self, middle: np.ndarray, size: tuple[float, float], lift: float, turn: float = 0.0,
        oval: bool = False,
    ) -> Solid:  # fmt: skip
        """A sheet of `size` on the skin around `middle` (x, y), turned in degrees; oval: a pad."""
        u, v = np.meshgrid(np.linspace(-1, 1, 13), np.linspace(-1, 1, 9), indexing="ij")
        thick = np.full(u.shape, lift)
        if oval:  # the square drawn into a disc
            thick = lift * (1 - 0.6 * np.maximum(u**4, v**4))
            u, v = u * np.sqrt(1 - v**2 / 2), v * np.sqrt(1 - u**2 / 2)
        u, v, t = size[0] * u / 2, size[1] * v / 2, np.radians(turn)
        flat = np.stack([np.cos(t) * u - np.sin(t) * v, np.sin(t) * u + np.cos(t) * v], -1) + middle
        depth = self.cheek(flat.reshape(-1, 2), 0.0)[:, 2].reshape(u.shape)
        points = np.concatenate([flat, _bridged(depth)[..., None]], axis=-1)
        return solids.slab(points, thick[..., None] * _LIFT, 1.0)


def _bridged(depth: np.ndarray) -> np.ndarray:
    """Tape spans hollows: no point lies deeper than the straight line between its neighbours."""
    depth = np.where(np.isnan(depth), np.nanmin(depth), depth)  # beside the face: as far as it goes
    for _ in range(6):
        depth[1:-1] = np.maximum(depth[1:-1], (depth[:-2] + depth[2:]) / 2)
        depth[:, 1:-1] = np.maximum(depth[:, 1:-1], (depth[:, :-2] + depth[:, 2:]) / 2)
    return depth


def band(fit: Fitting, angles: np.ndarray, height: np.ndarray, width: float, lift: float) -> Solid:
    """A strip of `width` around the head at `angles` (n,), radians, and `height` (n,)."""
    closed = bool(np.isclose(angles[-1] - angles[0], 2 * np.pi * (1 - 1 / len(angles))))
    offsets = np.linspace(-0.5, 0.5, 6) * width
    columns = np.stack([fit.around(angles, height + o, 0.0) for o in offsets], axis=1)
    for axis in range(3):  # where a ray met nothing, as beyond the crown
        column = columns[..., axis]
        column[np.isnan(column)] = np.nanmean(column)
    out = columns - [0.0, 0.0, fit.middle[2]]
    out[..., 1] = 0.0
    reach = np.linalg.norm(out, axis=-1, keepdims=True)
    out = out / reach
    level = _bridged_ring(reach[..., 0]) if closed else reach[..., 0]
    columns[..., [0, 2]] = (out * level[..., None])[..., [0, 2]] + [0.0, fit.middle[2]]
    return solids.slab(columns, out, lift, closed)


def _bridged_ring(reach: np.ndarray) -> np.ndarray:
    """Cloth spans hollows of a head: (n, k) distances raised to their neighbours' mean."""
    for _ in range(8):
        around = (np.roll(reach, 1, axis=0) + np.roll(reach, -1, axis=0)) / 2
        reach = np.maximum(reach, around)
    return reach


def smooth_ring(depth: np.ndarray) -> np.ndarray:
    """(n,) depths around an opening without holes or hollows."""
    depth = np.where(np.isnan(depth), np.nanmin(depth), depth)
    for _ in range(3):
        depth = np.maximum(depth, (np.roll(depth, 1) + np.roll(depth, -1)) / 2)
    return depth
