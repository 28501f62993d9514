"""Grown hair as a camera sees it: which pixels strands cover, and where on them. No Blender.

A strand is thinner than a pixel, so a pixel's centre says nothing: what counts is how much of the
pixel all strands before the skin cover together.
"""

from typing import NamedTuple

import numpy as np

from avatars import optics

_STEP = 1.0  # pixels between two places that a strand is asked at
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
    shown = _before(screen, away, size, solid)
    # Half of a head of hair is behind the head: what has no end before it is not asked further.
    asked = np.flatnonzero(shown[:, :-1] | shown[:, 1:])
    first, last = (screen[:, part].reshape(-1, 2)[asked] for part in _ENDS)
    near, far = (away[:, part].ravel()[asked] for part in _ENDS)
    length = np.linalg.norm(last - first, axis=1)
    times = np.maximum(np.ceil(length / _STEP), 1).astype(int)
    row = np.repeat(np.arange(len(asked)), times)
    along = (np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times) + 0.5) / times[row]
    at = first[row] + along[:, None] * (last - first)[row]
    # 1 / depth, not depth, is linear on the screen: so is the place on the strand over it.
    depth = 1 / ((1 - along) / near[row] + along / far[row])
    along = along / far[row] * depth
    before = _before(at, depth, size, solid)
    pixel = at[before].astype(int) @ np.array([1, size])
    row, along, depth = row[before], along[before], depth[before]
    _, focal = optics.axes(camera)
    area = (length / times)[row] * 2 * strands.radius * focal / depth
    full = (np.bincount(pixel, area, minlength=size**2) >= _OPAQUE)[pixel]
    return _nearest(Cover(pixel[full], asked[row[full]], along[full], depth[full]), size)


_ENDS = (slice(None, -1), slice(1, None))


def _before(at: np.ndarray, away: np.ndarray, size: int, solid: np.ndarray) -> np.ndarray:
    """(...) whether points at pixels `at` (..., 2) are in the picture and before `solid`."""
    inside = ((at >= 0) & (at < size)).all(axis=-1)
    pixel = np.where(inside, at[..., 0].astype(int) + size * at[..., 1].astype(int), 0)
    return np.asarray(inside & (away < solid[pixel]))


def segments(strands: Strands) -> np.ndarray:
    """Point ids (n * (k - 1), 3) of both ends of each segment, the second one twice."""
    count, joints = strands.points.shape[:2]
    first = (np.arange(count)[:, None] * joints + np.arange(joints - 1)).ravel()
    return np.stack([first, first + 1, first + 1], axis=1)


def _nearest(found: Cover, size: int) -> Cover:
    depth = np.full(size**2, np.inf)
    np.minimum.at(depth, found.pixel, found.depth)
    nearest = np.flatnonzero(found.depth == depth[found.pixel])
    first = np.unique(found.pixel[nearest], return_index=True)[1]
    return Cover(*(values[nearest[first]] for values in found))
