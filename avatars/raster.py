"""What a camera sees of a posed person, by geometry alone: a z-buffer and sight lines. No Blender.

The triangles are those that Cycles renders, asked once at each pixel's centre: nothing here
changes a rendered pixel, and a depth is the surface's own and no average over a pixel.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np

from avatars import optics, strands
from avatars.person import Part
from avatars.strands import Strands

NOTHING = -1  # the part of a pixel that shows the backdrop
_OPAQUE = 0.5  # alpha from which a card of hair hides what is behind it
# m that a surface must be nearer than a point to hide it: a point on a surface is not behind it,
# whatever the last bits of its depth.
_BEFORE = 2e-4


class View(NamedTuple):
    """Parts of a person, their `vertices` by name (V, 3) in world metres, and who looks at them.

    `camera` is the (3, 4) projection to pixels of a square picture of `size`, origin top left;
    `strands` is hair that is grown and no part.
    """

    parts: Sequence[Part]
    vertices: Mapping[str, np.ndarray]
    camera: np.ndarray
    size: int
    strands: Sequence[Strands] = ()


class Shot(NamedTuple):
    """A view and the nearest surface of each of its pixels, row by row: S * S rows.

    `part` numbers the view's parts, then its strands (`NOTHING`: none); `triangle` that part's
    `corners`; `shares` (S * S, 3) are perspective-correct and sum to 1; `depth` is metres along
    the optical axis, inf where nothing is; `veil` the depth of strands alone.
    """

    view: View
    part: np.ndarray
    triangle: np.ndarray
    shares: np.ndarray
    depth: np.ndarray
    veil: np.ndarray


class _Fragments(NamedTuple):
    point: np.ndarray  # (n,) row-major pixel numbers, or numbers of asked points
    triangle: np.ndarray  # (n,)
    shares: np.ndarray  # (n, 3) of the corners, perspective-correct
    depth: np.ndarray  # (n,) metres along the optical axis


def shoot(view: View) -> Shot:
    """The nearest opaque surface at every pixel's centre."""
    pixels = view.size**2
    part = np.full(pixels, NOTHING, np.int16)
    triangle, shares = np.zeros(pixels, np.int64), np.zeros((pixels, 3))
    depth = np.full(pixels, np.inf)
    for number, (own, corners) in enumerate(zip(view.parts, _projected(view), strict=True)):
        seen = _opaque(own, _at_centres(corners, view.size))
        nearest = np.full(pixels, np.inf)
        np.minimum.at(nearest, seen.point, seen.depth)
        won = (seen.depth == nearest[seen.point]) & (seen.depth < depth[seen.point])
        where = seen.point[won]
        part[where], triangle[where] = number, seen.triangle[won]
        shares[where], depth[where] = seen.shares[won], seen.depth[won]
    solid, veil = depth.copy(), np.full(pixels, np.inf)
    for number, grown in enumerate(view.strands, len(view.parts)):
        hair = strands.cover(grown, view.camera, view.size, solid)
        won = hair.depth < veil[hair.pixel]
        where = hair.pixel[won]
        part[where], triangle[where] = number, hair.segment[won]
        shares[where] = np.stack([1 - hair.along[won], hair.along[won], 0 * where], axis=1)
        depth[where] = veil[where] = hair.depth[won]
    return Shot(view, part, triangle, shares, depth, veil)


def hidden(view: View, points: np.ndarray, before: float = _BEFORE) -> np.ndarray:
    """(n,) whether an opaque surface stands between the camera and each world point (n, 3).

    Exact: each point's own sight line is asked, not the nearest pixel's. The surface must be
    `before` metres nearer. A point outside the picture counts as not hidden; strands hide nothing.
    """
    at, away = optics.project(points, view.camera)
    found = np.zeros(len(points), bool)
    for part, corners in zip(view.parts, _projected(view), strict=True):
        seen = _opaque(part, _on_sight_lines(corners, at, away, view.size))
        found[seen.point[seen.depth < away[seen.point] - before]] = True
    return found


def corners(view: View, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertex ids (n, 3) of the triangles of a shot's part `number`, and its vertices (V, 3).

    A segment of a strand is a triangle whose last two corners are one.
    """
    if number < len(view.parts):
        part = view.parts[number]
        return triangles(part), view.vertices[part.name]
    grown = view.strands[number - len(view.parts)]
    return strands.segments(grown), grown.points.reshape(-1, 3)


def triangles(part: Part) -> np.ndarray:
    """Vertex ids (n, 3) of a part's quads, each cut along one diagonal."""
    return np.concatenate([part.quads[:, half] for half in _HALVES])


_HALVES = ([0, 1, 2], [0, 2, 3])


class _Corners(NamedTuple):
    screen: np.ndarray  # (n, 3, 2) pixels
    away: np.ndarray  # (n, 3) metres


def _projected(view: View) -> Iterator[_Corners]:
    """The triangles of each part as the camera sees them."""
    for part in view.parts:
        corners = triangles(part)
        screen, away = optics.project(view.vertices[part.name], view.camera)
        yield _Corners(screen[corners], away[corners])


def _at_centres(corners: _Corners, size: int) -> _Fragments:
    """Every pixel centre that lies in a triangle."""
    low, high = _extent(corners.screen)
    low = np.clip(np.ceil(low - 0.5), 0, size).astype(int)
    high = np.clip(np.floor(high - 0.5) + 1, 0, size).astype(int)
    triangle, x, y = _boxes(low, high)
    return _inside(corners, triangle, y * size + x, np.stack([x + 0.5, y + 0.5], axis=1))


def _on_sight_lines(
    corners: _Corners, at: np.ndarray, away: np.ndarray, size: int
) -> _Fragments:  # fmt: skip
    """Every one of the points `at` (p, 2) that lies in a triangle with a corner before it."""
    points, first, count, deepest = _by_cell(at, away, size)
    low, high = _extent(corners.screen)
    low = np.clip(np.floor(low), 0, size).astype(int)
    high = np.clip(np.floor(high) + 1, 0, size).astype(int)
    own = np.flatnonzero(_holding(count.reshape(size, size), low, high))
    box, x, y = _boxes(low[own], high[own])
    triangle, cell = own[box], y * size + x
    nearest, _ = _extent(corners.away)
    asked = nearest[triangle] < deepest[cell]
    triangle, cell = triangle[asked], cell[asked]
    times = count[cell]
    number = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    point = points[np.repeat(first[cell], times) + number]
    return _inside(corners, np.repeat(triangle, times), point, at[point])


def _by_cell(
    at: np.ndarray, away: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the points by pixel; each pixel's first one, how many, and its deepest (-inf)."""
    inside = np.flatnonzero(((at >= 0) & (at < size)).all(axis=1))
    cell = at[inside].astype(int) @ np.array([1, size])
    order = np.argsort(cell, kind="stable")
    count = np.bincount(cell, minlength=size**2)
    deepest = np.full(size**2, -np.inf)
    np.maximum.at(deepest, cell, away[inside])
    return inside[order], np.cumsum(count) - count, count, deepest


def _holding(count: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) whether there is a point in the boxes; `count` (S, S) of points a pixel."""
    table = np.zeros((len(count) + 1, len(count) + 1), np.int64)
    table[1:, 1:] = count.cumsum(axis=0).cumsum(axis=1)
    (left, top), (right, bottom) = low.T, high.T
    inside = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    return np.asarray(inside > 0)


def _extent(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest (n, ...) of three corners (n, 3, ...), sooner than numpy's own over 3."""
    a, b, c = (corners[:, corner] for corner in range(3))
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _boxes(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle, column and row of each pixel in a triangle's box from `low` to before `high`."""
    width, height = np.maximum(high - low, 0).T
    count = width * height
    triangle = np.repeat(np.arange(len(low)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    across = width[triangle]
    return triangle, low[triangle, 0] + number % across, low[triangle, 1] + number // across


def _inside(
    corners: _Corners, triangle: np.ndarray, point: np.ndarray, at: np.ndarray
) -> _Fragments:  # fmt: skip
    """The pairs of a triangle and a point at pixels `at` (n, 2) where one lies in the other."""
    a, b, c = (corners.screen[triangle, corner] for corner in range(3))
    areas = np.stack([_cross(b, c, at), _cross(c, a, at), _cross(a, b, at)], axis=1)
    whole = areas.sum(axis=1)
    inside = (whole != 0) & (areas * np.sign(whole)[:, None] >= 0).all(axis=1)
    triangle = triangle[inside]
    # 1 / depth, not depth, is linear on the screen.
    shares = areas[inside] / whole[inside, None] / corners.away[triangle]
    depth = 1 / shares.sum(axis=1)
    return _Fragments(point[inside], triangle, shares * depth[:, None], depth)


def _cross(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(n,) twice the signed area of the triangles a, b, p."""
    return np.asarray(
        (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    )


def _opaque(part: Part, seen: _Fragments) -> _Fragments:
    """Without the fragments that the texture's alpha cuts away (hair, brows, lashes, eyes).

    A lens is no fragment at all: what is seen is the eye behind it.
    """
    if part.material == "glass":
        return _Fragments(*(values[:0] for values in seen))
    if part.texture is None or part.material not in ("hair", "eye"):
        return seen
    uvs = np.concatenate([part.uvs[:, half] for half in _HALVES])
    alpha = _alpha(part.texture)
    height, width = alpha.shape
    u, v = np.einsum("nc,nck->kn", seen.shares, uvs[seen.triangle]) % 1.0
    column = np.minimum((u * width).astype(int), width - 1)
    row = np.minimum(((1 - v) * height).astype(int), height - 1)
    solid = alpha[row, column] >= _OPAQUE
    return _Fragments(*(values[solid] for values in seen))


@lru_cache(maxsize=16)
def _alpha(texture: Path) -> np.ndarray:
    """(H, W) float32 alpha of a texture in [0, 1]; 1 where the file has none."""
    pixels = iio.imread(texture)
    if pixels.ndim < 3 or pixels.shape[2] < 4:
        return np.ones(pixels.shape[:2], np.float32)
    return np.asarray(pixels[..., 3] / np.float32(np.iinfo(pixels.dtype).max))
