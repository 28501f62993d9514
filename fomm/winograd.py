"""3 x 3 convolutions by Winograd's F(4 x 4, 3 x 3): four times fewer multiplications, in float32.

Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): each 6 x 6 tile of the
input is transformed, multiplied channel by channel with the transformed kernel, and transformed
back to 4 x 4 outputs. The products of all tiles are 36 matrix products, which torch does well.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

TILE = 4  # outputs a side; larger tiles save more and lose digits
POINTS = TILE + 2  # inputs a side, and products a side
LEAST = 256  # pixels of a frame: below, reading 36 transformed kernels costs more than it saves
ROWS = 16  # of tiles at a time, so that a layer's intermediate values stay in the cache

_KERNEL = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
           [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]  # fmt: skip


def fits(x: Tensor) -> bool:
    """Whether frames (N, C, H, W) like these are convolved faster in tiles."""
    height, width = x.shape[-2:]
    whole = height % TILE == 0 and width % TILE == 0
    return whole and height * width >= LEAST and x.dtype == torch.float32


def transformed_kernel(weight: Tensor) -> Tensor:
    """(O, I, 3, 3) > (36, I, O), computed in float64."""
    g = torch.tensor(_KERNEL, dtype=torch.float64)
    products = torch.einsum("ai,oqij,bj->abqo", g, weight.double(), g)
    return products.flatten(0, 1).to(weight.dtype).contiguous()


def convolve(x: Tensor, kernel: Tensor, bias: Tensor, double: bool = False) -> Tensor:
    """A 3 x 3 convolution with zero padding: (N, I, H, W) > (N, O, H, W) in channels-last memory.

    `kernel` (36, I, O) is a transformed one, `bias` (O,); `fits(x)` must hold. With `double`
    the outputs are the 2 x 2 phases of a picture twice as large, phases first among the channels:
    (N, O / 4, 2 H, 2 W).
    """
    count, _, height, width = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    step = 2 if double else 1
    channels = len(bias) // step**2
    out = x.new_empty(count, step * height, step * width, channels)
    # (N, tile row, row in it, phase, tile column, column in it, phase, O)
    tiles = out.view(
        count, height // TILE, TILE, step, width // TILE, TILE, step, channels
    )  # fmt: skip
    high = min(ROWS, height // TILE)
    together = max(1, ROWS // high)  # small frames share the matrix products
    for first in range(0, count, together):
        frames = slice(first, first + together)
        for top in range(0, height // TILE, high):
            rows = padded[frames, top * TILE : (top + high) * TILE + 2]
            _tiles(rows, kernel, bias, tiles[frames, top : top + high])
    return out.permute(0, 3, 1, 2)


def _tiles(rows: Tensor, kernel: Tensor, bias: Tensor, out: Tensor) -> None:
    """Rows (n, 4 R + 2, W + 2, I) of padded input into R rows of tiles, as `convolve` lays them."""
    count, high, _, step, wide = out.shape[:5]
    half = rows.new_empty(POINTS, count, high, *rows.shape[2:])
    _analyse(_shifts(rows, high, 1), half)
    values = rows.new_empty(POINTS, POINTS, count, high, wide, rows.shape[-1])
    _analyse(_shifts(half, wide, 3), values.transpose(0, 1))
    products = torch.bmm(values.flatten(0, 1).flatten(1, 3), kernel)
    products[POINTS + 1] += bias  # a constant picture is the product of the points (1, 1) alone
    lines = rows.new_empty(TILE, POINTS, count, high, wide, len(bias))
    _synthesise(products.view(POINTS, POINTS, count, high, wide, -1), lines)
    # (6, 4, n, R, W / 4, O) > (6, n, R, 4, phase, W / 4, phase, O / phases)
    lines = lines.unflatten(-1, (step, step, -1)).permute(1, 2, 3, 0, 5, 4, 6, 7)
    _synthesise(lines, [out[:, :, :, :, :, i] for i in range(TILE)])


def _shifts(x: Tensor, tiles: int, dim: int) -> list[Tensor]:
    """The six inputs of each tile along `dim`."""
    size = TILE * (tiles - 1) + 1
    return [x.narrow(dim, i, size)[(slice(None),) * dim + (slice(None, None, TILE),)]
            for i in range(POINTS)]  # fmt: skip


def _analyse(x: Sequence[Tensor], out: Tensor) -> None:
    """Six inputs to six values at the points 0, 1, -1, 2, -2 and infinity."""
    even, odd = x[4] - x[2], x[3] - x[1]
    torch.add(even, x[0] - x[2], alpha=4, out=out[0])
    near, far = torch.sub(x[4], x[2], alpha=4), torch.sub(x[3], x[1], alpha=4)
    torch.add(near, far, out=out[1])
    torch.sub(near, far, out=out[2])
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    torch.sub(x[5] - x[3], odd, alpha=4, out=out[5])


def _synthesise(x: Tensor, out: Sequence[Tensor] | Tensor) -> None:
    """Six products to four outputs."""
    near, slope = x[1] + x[2], x[1] - x[2]
    far, steep = x[3] + x[4], x[3] - x[4]
    torch.add(x[0] + near, far, out=out[0])
    torch.add(slope, steep, alpha=2, out=out[1])
    torch.add(near, far, alpha=4, out=out[2])
    torch.add(slope + x[5], steep, alpha=8, out=out[3])
