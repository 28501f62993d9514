"""Per-pixel truth of a frame: which part a pixel shows and how far away it is. No Blender.

A z-buffer over the triangles that Cycles renders, asked once at each pixel's centre: it changes no
rendered pixel, and its depth is the surface's own and no average over a pixel.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np

from avatars.errors import AvatarError
from avatars.person import Part

PASSES = ("segmentation", "depth")
# A pixel's label is the index of its part; the order is the file format's.
LABELS = (
    "background", "skin", "gown", "eyes", "brows", "lashes", "hair", "beard", "teeth", "tongue",
)  # fmt: skip
_OPAQUE = 0.5  # alpha from which a card of hair hides what is behind it


class Buffers(NamedTuple):
    """`labels` (S, S) uint8, indices of `LABELS`; `depth` (S, S) float32 metres, inf behind."""

    labels: np.ndarray
    depth: np.ndarray


class _Fragments(NamedTuple):
    pixel: np.ndarray  # (n,) row-major pixel numbers
    triangle: np.ndarray  # (n,)
    shares: np.ndarray  # (n, 3) of the corners, perspective-correct
    depth: np.ndarray  # (n,) metres along the optical axis


def require_passes(names: Sequence[str]) -> None:
    """Raise AvatarError for a pass that does not exist."""
    for name in names:
        if name not in PASSES:
            raise AvatarError(f"there is no pass '{name}'; known: {', '.join(PASSES)}")


def rasterise(
    parts: Sequence[Part], vertices: dict[str, np.ndarray], camera: np.ndarray, size: int
) -> Buffers:
    """Label and depth of every pixel of parts whose `vertices` (V, 3) are world metres.

    `camera` is the (3, 4) projection to pixels of a square picture of `size`.
    """
    labels = np.zeros(size * size, np.uint8)
    depth = np.full(size * size, np.inf)
    for part in parts:
        corners, uvs = _triangles(part)
        seen = _fragments(vertices[part.name][corners], camera, size)
        seen = _opaque(part, uvs, seen)
        np.minimum.at(depth, seen.pixel, seen.depth)
        nearest = seen.depth == depth[seen.pixel]
        labels[seen.pixel[nearest]] = _labels(part, corners, seen)[nearest]
    return Buffers(labels.reshape(size, size), depth.reshape(size, size).astype(np.float32))


def _triangles(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Vertex ids (n, 3) and uvs (n, 3, 2) of a part's quads, each cut along one diagonal."""
    halves = ([0, 1, 2], [0, 2, 3])
    return (
        np.concatenate([part.quads[:, half] for half in halves]),
        np.concatenate([part.uvs[:, half] for half in halves]),
    )


def _fragments(points: np.ndarray, camera: np.ndarray, size: int) -> _Fragments:
    """Every pixel centre that lies in a triangle of `points` (n, 3, 3)."""
    homogeneous = points @ camera[:, :3].T + camera[:, 3]
    away = homogeneous[..., 2]
    screen = homogeneous[..., :2] / away[..., None]
    triangle, x, y = _candidates(screen, size)
    a, b, c = (screen[triangle, corner] for corner in range(3))
    centre = np.stack([x + 0.5, y + 0.5], axis=1)
    areas = np.stack([_cross(b, c, centre), _cross(c, a, centre), _cross(a, b, centre)], axis=1)
    whole = areas.sum(axis=1)
    inside = (whole != 0) & (areas * np.sign(whole)[:, None] >= 0).all(axis=1)
    triangle = triangle[inside]
    # 1 / depth, not depth, is linear on the screen.
    shares = areas[inside] / whole[inside, None] / away[triangle]
    depth = 1 / shares.sum(axis=1)
    return _Fragments((y * size + x)[inside], triangle, shares * depth[:, None], depth)


def _candidates(screen: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle, column and row of each pixel centre in a triangle's bounding box."""
    low = np.clip(np.ceil(screen.min(axis=1) - 0.5), 0, size).astype(int)
    high = np.clip(np.floor(screen.max(axis=1) - 0.5) + 1, 0, size).astype(int)
    width, height = np.maximum(high - low, 0).T
    count = width * height
    triangle = np.repeat(np.arange(len(screen)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    across = width[triangle]
    return triangle, low[triangle, 0] + number % across, low[triangle, 1] + number // across


def _cross(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(n,) twice the signed area of the triangles a, b, p."""
    return np.asarray(
        (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    )


def _opaque(part: Part, uvs: np.ndarray, seen: _Fragments) -> _Fragments:
    """Without the fragments that the texture's alpha cuts away (hair, brows, lashes, eyes)."""
    if part.material not in ("hair", "eye"):
        return seen
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


def _labels(part: Part, corners: np.ndarray, seen: _Fragments) -> np.ndarray:
    """(n,) label of each fragment; the skin is gown below the neckline."""
    if part.gown is None:
        return np.full(len(seen.pixel), LABELS.index(part.name), np.uint8)
    below = np.einsum("nc,nc->n", seen.shares, part.gown[corners[seen.triangle]])
    return np.where(below > 0, LABELS.index("gown"), LABELS.index("skin")).astype(np.uint8)
