"""Pictures in the overlapping tiles of Winograd's F(4 x 4, 3 x 3), some rows of tiles at a time.

A tile has 6 x 6 inputs and 4 x 4 outputs. Tiles of one piece lie side by side behind the places in
a tile, so that a transform of all of them is one matrix product with a Kronecker square.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

TILE = 4  # outputs a side
POINTS = TILE + 2  # inputs a side, and products a side
TILES = 128  # in a piece: few enough for the cache, many enough for each reading of the kernel
CONSTANT = POINTS + 1  # the product that a constant picture has alone: where a bias is added

_ANALYSIS = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
             [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]  # fmt: skip
_KERNEL = [[1 / 4, 0.0, 0.0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
           [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0.0, 0.0, 1.0]]  # fmt: skip
_SYNTHESIS = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0],
              [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]  # fmt: skip


def _square(matrix: Sequence[Sequence[float]]) -> Tensor:
    one = torch.tensor(matrix, dtype=torch.float32)
    return torch.kron(one, one)


def analysis() -> Tensor:
    """(36, 36): a tile's inputs to its points."""
    return _square(_ANALYSIS)


def synthesis() -> Tensor:
    """(16, 36): a tile's products to its outputs."""
    return _square(_SYNTHESIS)


def transformed(weight: Tensor) -> Tensor:
    """A convolution's weight (D, C, 3, 3) as (36, C, D), one matrix a point."""
    points = _square(_KERNEL) @ weight.permute(2, 3, 1, 0).flatten(2).flatten(0, 1)
    return points.view(POINTS**2, weight.shape[1], weight.shape[0])


def rows_of(down: int, across: int) -> int:
    """Rows of tiles in a piece: as many as divide the picture and stay within `TILES`."""
    fit = [r for r in range(1, down + 1) if not down % r and r * across <= TILES]
    return max(fit, default=1)


def inputs(padded: Tensor) -> Iterator[Tensor]:
    """Overlapping views (6, 6, R, W / 4, C) of (H + 2, W + 2, C), piece by piece."""
    down, across = (side // TILE for side in padded.shape[:2])
    rows = rows_of(down, across)
    line, pixel, _ = padded.stride()
    strides = (line, pixel, TILE * line, TILE * pixel, 1)
    shape = (POINTS, POINTS, rows, across, padded.shape[-1])
    for top in range(0, down, rows):
        yield padded.as_strided(shape, strides, padded.storage_offset() + TILE * top * line)


def outputs(picture: Tensor) -> Iterator[Tensor]:
    """Views (4, 4, R, W / 4, D) of (H, W, D), in the same order; its lines may lie apart."""
    down, across = (side // TILE for side in picture.shape[:2])
    rows = rows_of(down, across)
    tiles = picture.unflatten(1, (across, TILE)).unflatten(0, (down // rows, rows, TILE))
    yield from tiles.permute(0, 2, 4, 1, 3, 5)


def quarters(tile: Tensor) -> list[Tensor]:
    """Views of (6, 6, ...), in each of which no pixel occurs twice: tiles overlap by two a side."""
    halves = slice(None, TILE), slice(TILE, None)
    return [tile[rows, columns] for rows in halves for columns in halves]
