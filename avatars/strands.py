"""Grown hair as a camera sees it: which pixels strands cover, and where on them. No Blender.

A strand is thinner than a pixel, so a pixel's centre says nothing: what counts is how much of the
pixel all strands before the skin cover together.
"""

from typing import NamedTuple

import numpy as np

from avatars import optics

_STEP = 0.5  # pixels between two places that a strand is asked at
# Of a pixel's area in strands: thrown at random, so much of them hides half of what is behind.
_OPAQUE = np.log(2.0)


class Strands(NamedTuple):
    """Hair of one label (hair, beard, brows, lashes): `points` (n, k, 3) in world metres.

    `radius` in metres is a strand's mean one.
    """

    name: str
    points: np.ndarray
    radius: float


class Cover(NamedTuple):
    """Pixels that strands cover, each once: row-major numbers, and the nearest strand there.

    `segment` is a row of `segments`, `along` in [0, 1] the place on it, `depth` metres.
    """

    pixel: np.ndarray
    segment: np.ndarray
    along: np.ndarray
    depth: np.ndarray


def cover(strands: Strands, camera: np.ndarray, size: int, solid: np.ndarray) -> Cover:
    """The pixels of a square picture that strands cover before `solid` (S * S,) metres."""
    screen, away = optics.project(strands.points, camera)
    ends = screen.reshape(-1, 2)[segments(strands)[:, :2]]  # (m, 2, 2)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    times = np.maximum(np.ceil(length / _STEP), 1).astype(int)
    segment = np.repeat(np.arange(len(ends)), times)
    number = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    along = (number + 0.5) / times[segment]
    at = ends[segment, 0] + along[:, None] * (ends[segment, 1] - ends[segment, 0])
    near, far = away.ravel()[segments(strands)[:, :2]].T
    # 1 / depth, not depth, is linear on the screen: so is the place on the strand over it.
    depth = 1 / ((1 - along) / near[segment] + along / far[segment])
    along = along / far[segment] * depth
    inside = ((at >= 0) & (at < size)).all(axis=1)
    pixel = np.where(inside, at.astype(int) @ np.array([1, size]), 0)
    before = inside & (depth < solid[pixel])
    _, focal = optics.axes(camera)
    area = (length / times)[segment] * 2 * strands.radius * focal / depth
    full = np.bincount(pixel[before], area[before], minlength=size**2) >= _OPAQUE
    return _nearest(Cover(*(v[before & full[pixel]] for v in (pixel, segment, along, depth))))


def segments(strands: Strands) -> np.ndarray:
    """Point ids (n * (k - 1), 3) of both ends of each segment, the second one twice."""
    count, joints = strands.points.shape[:2]
    first = (np.arange(count)[:, None] * joints + np.arange(joints - 1)).ravel()
    return np.stack([first, first + 1, first + 1], axis=1)


def _nearest(found: Cover) -> Cover:
    order = np.lexsort((found.segment, found.depth, found.pixel))
    first = np.unique(found.pixel[order], return_index=True)[1]
    return Cover(*(values[order][first] for values in found))
