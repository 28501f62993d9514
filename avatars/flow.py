"""Exact optical flow with occlusion between any two pictures of people. No Blender.

All people share one mesh: a point of one person's skin, eyes, teeth or tongue has its counterpart
on every other's. Each pixel of the first picture is a point of a triangle; the flow is where the
second picture shows the same point of its own triangle, and visible is what nothing hides there.
"""

from typing import NamedTuple

import numpy as np

from avatars import optics, raster
from avatars.raster import NOTHING, Shot

# m that strands must be nearer than a point to hide it: a lock of hair is about so thick, and its
# own strands do not hide each other.
_VEIL = 0.004


class Flow(NamedTuple):
    """`displacement` (S, S, 2) float32 px, right and down, from a pixel of the first picture.

    `visible` (S, S) bool: the point is seen in the second picture too. Where it is False the
    displacement still says where the point went, and is 0 where the second person lacks the part.
    """

    displacement: np.ndarray
    visible: np.ndarray


def flow(first: Shot, second: Shot) -> Flow:
    """The flow from one picture to another, of the same person or of two, on the first's pixels.

    Hair, brows and lashes have a counterpart only where both wear the same. The backdrop hangs
    before the camera, so it stands still, and where the camera looks another way it has no
    counterpart.
    """
    size, there = first.view.size, second.view.size
    points = counterparts(first, second)
    known = np.isfinite(points[:, 0])
    displacement = np.zeros((size**2, 2), np.float32)
    shown, _ = optics.project(counterparts(first, first)[known], first.view.camera)
    target, away = optics.project(points[known], second.view.camera)
    displacement[known] = target - shown
    at = _centres(size)[known] + displacement[known]
    seen = ((at >= 0) & (at < there)).all(axis=1)
    seen[seen] = ~_hidden(second, points[known][seen], at[seen], away[seen])
    visible = _still(first, second)
    visible[known] = seen
    return Flow(displacement.reshape(size, size, 2), visible.reshape(size, size))


def counterparts(first: Shot, second: Shot) -> np.ndarray:
    """(S * S, 3) world metres in `second` of what each pixel of `first` shows; NaN where unknown.

    With the same shot twice these are the points that the pixels show.
    """
    points = np.full((len(first.part), 3), np.nan)
    numbers = {name: number for number, name in enumerate(_names(second))}
    for number, name in enumerate(_names(first)):
        if name not in numbers:
            continue
        mesh, _ = raster.corners(first.view, number)
        other, vertices = raster.corners(second.view, numbers[name])
        if np.array_equal(mesh, other):
            seen = np.flatnonzero(first.part == number)
            at = vertices[mesh[first.triangle[seen]]]
            points[seen] = np.einsum("nc,nck->nk", first.shares[seen], at)
    return points


def _names(shot: Shot) -> list[str]:
    """Parts of one name are the same part; grown hair is none of them."""
    return [part.name for part in shot.view.parts] + [
        f"grown {grown.name}" for grown in shot.view.strands
    ]


def _hidden(shot: Shot, points: np.ndarray, at: np.ndarray, away: np.ndarray) -> np.ndarray:
    """(n,) whether a surface or a veil of strands stands before points seen at pixels `at`."""
    pixel = at.astype(int) @ np.array([1, shot.view.size])
    return raster.hidden(shot.view, points) | (shot.veil[pixel] < away - _VEIL)


def warp(picture: np.ndarray, found: Flow) -> np.ndarray:
    """The second `picture` (S, S, C) drawn onto the first one's pixels, float64, bilinear.

    Pixels that are not visible in both are NaN.
    """
    size = picture.shape[0]
    at = _centres(len(found.visible)).reshape(*found.visible.shape, 2) + found.displacement - 0.5
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(int), size - 2)
    x, y = low[..., 0], low[..., 1]
    right, down = np.moveaxis(at - low, -1, 0)[..., None]
    above = picture[y, x] * (1 - right) + picture[y, x + 1] * right
    below = picture[y + 1, x] * (1 - right) + picture[y + 1, x + 1] * right
    drawn = above * (1 - down) + below * down
    return np.asarray(np.where(found.visible[..., None], drawn, np.nan))


def _still(first: Shot, second: Shot) -> np.ndarray:
    """(S * S,) the backdrop's pixels that show it in both pictures."""
    one, other = first.view, second.view
    if one.size != other.size or not np.allclose(one.camera[:, :3], other.camera[:, :3]):
        return np.zeros(len(first.part), bool)
    return np.asarray((first.part == NOTHING) & (second.part == NOTHING))


def _centres(size: int) -> np.ndarray:
    """(S * S, 2) pixel centres, row by row."""
    rows, columns = np.divmod(np.arange(size**2), size)
    return np.stack([columns, rows], axis=1) + 0.5
