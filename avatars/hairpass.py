"""Hair in the per-pixel truth: strands laid into the z-buffer of the parts. No Blender.

A strand is thinner than a pixel, so a pixel belongs to hair when the strands before its surface
cover a good third of it. Strands lie at random within a pixel: an area of a covers 1 - exp(-a).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avatars.hair import Strands
from avatars.passes import LABELS, Buffers

# Of a pixel that strands cover when it shows hair: brows and short beards let skin through and read
# as hair well before half.
_SHARE = 0.35
_ENOUGH = -np.log(1 - _SHARE)  # summed area of strands, in pixels, that covers so much
_STEP = 0.5  # pixels between the samples of a strand


class _Samples(NamedTuple):
    pixel: np.ndarray  # (n,) row-major pixel numbers
    depth: np.ndarray  # (n,) metres along the optical axis
    area: np.ndarray  # (n,) pixels that a sample's piece of strand covers
    label: np.ndarray  # (n,) index of `LABELS`


def lay(
    buffers: Buffers, growths: Sequence[Strands], points: Sequence[np.ndarray], camera: np.ndarray
) -> Buffers:
    """`buffers` (S, S) with every growth of hair, whose `points` (n, k, 3) are world metres.

    `camera` is the (3, 4) projection to pixels. The depth of a pixel of hair is where the strands
    from the front have covered so much; its label is that of the strand there.
    """
    size = len(buffers.labels)
    samples = _before(buffers, growths, points, camera)
    order = np.lexsort((samples.depth, samples.pixel))
    samples = _Samples(*(values[order] for values in samples))
    reached = _covered(samples)
    labels, depth = buffers.labels.copy().ravel(), buffers.depth.copy().ravel()
    labels[samples.pixel[reached]] = samples.label[reached]
    depth[samples.pixel[reached]] = samples.depth[reached]
    return Buffers(labels.reshape(size, size), depth.reshape(size, size))


def touched(
    buffers: Buffers, growths: Sequence[Strands], points: Sequence[np.ndarray], camera: np.ndarray
) -> np.ndarray:
    """(S, S) bool: before which pixels of `buffers` any strand runs, however thin; see `lay`."""
    touched = np.zeros(buffers.labels.size, dtype=bool)
    touched[_before(buffers, growths, points, camera).pixel] = True
    return touched.reshape(buffers.labels.shape)


def _before(
    buffers: Buffers, growths: Sequence[Strands], points: Sequence[np.ndarray], camera: np.ndarray
) -> _Samples:
    """Samples of all strands that lie before the surfaces of `buffers`."""
    size = len(buffers.labels)
    drawn = [_sampled(g, p, camera, size) for g, p in zip(growths, points, strict=True)]
    samples = _Samples(*(np.concatenate(values) for values in zip(*drawn, strict=True)))
    before = samples.depth < buffers.depth.ravel()[samples.pixel]
    return _Samples(*(values[before] for values in samples))


def _covered(samples: _Samples) -> np.ndarray:
    """Indices of the samples, sorted by pixel and depth, at which their pixel is covered enough."""
    total = np.cumsum(samples.area)
    first = np.flatnonzero(np.diff(samples.pixel, prepend=-1))
    count = np.diff(first, append=len(samples.pixel))
    start = np.repeat(total[first] - samples.area[first], count)
    full = total - start >= _ENOUGH
    earlier = np.r_[False, full[:-1]] & (np.diff(samples.pixel, prepend=-1) == 0)
    return np.flatnonzero(full & ~earlier)


def _sampled(growth: Strands, points: np.ndarray, camera: np.ndarray, size: int) -> _Samples:
    """Samples along every strand that lie in the picture."""
    homogeneous = points @ camera[:, :3].T + camera[:, 3]
    away = homogeneous[..., 2]
    screen = homogeneous[..., :2] / away[..., None]
    length = np.linalg.norm(np.diff(screen, axis=1), axis=2)  # (n, k - 1) px
    pieces = np.ceil(length / _STEP).astype(int)
    strand, joint = np.nonzero(pieces)
    pieces, length = pieces[strand, joint], length[strand, joint]
    row = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (number + 0.5) / pieces[row]
    strand, joint = strand[row], joint[row]
    depth = (1 - share) * away[strand, joint] + share * away[strand, joint + 1]
    start, end = screen[strand, joint], screen[strand, joint + 1]
    place = start + share[:, None] * (end - start)
    width = (growth.radii[joint] + growth.radii[joint + 1]) * _focal(camera) / depth
    inside = ((place >= 0) & (place < size)).all(axis=1)
    column, line = place[inside].astype(int).T
    area = (length / pieces)[row][inside] * width[inside]
    label = np.full(len(column), LABELS.index(growth.name), np.uint8)
    return _Samples(line * size + column, depth[inside], area, label)


def _focal(camera: np.ndarray) -> float:
    """Pixels that a metre across covers at a metre's distance, of a (3, 4) projection."""
    across, axis = camera[0, :3], camera[2, :3]
    scale = np.linalg.norm(axis)
    return float(np.linalg.norm(np.cross(across, axis)) / scale**2)
