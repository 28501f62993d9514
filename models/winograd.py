"""A ConvLSTM layer over large float32 states, trained in tiles by Winograd's F(4 x 4, 3 x 3).

Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): the 6 x 6 inputs of each
4 x 4 outputs are transformed, multiplied point by point with the transformed kernel and transformed
back: a quarter of the products. Both transforms are one matrix product with a Kronecker square,
backward is the transposed algorithm. Gates and states stay in tiles, a few of them at a time, so
that a step never leaves the cache.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from models.cell import open_gates, step_back, tanh
from models.errors import ModelError

TILE = 4  # outputs a side
POINTS = TILE + 2  # inputs a side, and products a side
LEAST = 1024  # pixels of a state: below, the transforms cost what the products save
TILES = 128  # in a piece: few enough for the cache, many enough for each reading of the kernel

_ANALYSIS = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
             [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]  # fmt: skip
_KERNEL = [[1 / 4, 0.0, 0.0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
           [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0.0, 0.0, 1.0]]  # fmt: skip
_SYNTHESIS = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0],
              [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]  # fmt: skip
_CONSTANT = POINTS + 1  # the product that a constant picture has alone: where a bias is added


def fits(frames: Tensor, weight: Tensor) -> bool:
    """Whether a layer of `weight` (4 D, C + D, k, k) learns from (N, T, C, H, W) faster in tiles.

    Without gradients direct convolution is as fast, and closer to float64 by half a digit.
    """
    height, width = frames.shape[-2:]
    whole = height % TILE == 0 and width % TILE == 0 and height * width >= LEAST
    plain = frames.dtype == torch.float32 and frames.device.type == "cpu"
    learns = torch.is_grad_enabled() and weight.requires_grad
    return (
        whole and plain and learns and weight.shape[-1] == 3
        and not torch.is_autocast_enabled("cpu")
    )  # fmt: skip


def hidden_states(frames: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(N, T, C, H, W) > the hidden states (N, T, D, H, W) of `models.convlstm.ConvLSTM`.

    `weight` (4 D, C + D, 3, 3) and `bias` (4 D,) without peepholes; `fits` must hold.
    """
    kernel = _square(_KERNEL) @ weight.permute(2, 3, 1, 0).flatten(2).flatten(0, 1)
    kernel = kernel.view(POINTS**2, weight.shape[1], weight.shape[0])
    states: Tensor = _Layer.apply(frames.permute(0, 1, 3, 4, 2), kernel, bias)
    return states.permute(0, 1, 4, 2, 3)


class _Kept(NamedTuple):
    """What forward leaves for backward, tile by tile; K pieces of P tiles a frame.

    `values` (N, T, K, 36, P, C + D) transformed inputs, `opened` (N, T, K, 16 P, 4 D) gates,
    `cells` (N, T + 1, K, 16 P, D) states from the zero one on, `shown` (N, T, K, 16 P, D).
    """

    values: Tensor
    opened: Tensor
    cells: Tensor
    shown: Tensor

    def of(self, step: int) -> tuple[tuple[Tensor, ...], ...]:
        """A clip's values, gates, cell states before and after, and shown ones, piece by piece."""
        cells = self.cells[step : step + 2]
        rows = (self.values[step], self.opened[step], *cells, self.shown[step])
        return tuple(row.unbind() for row in rows)


class _Layer(torch.autograd.Function):
    """(N, T, H, W, C) > (N, T, H, W, D)."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        kept = _room(frames, kernel)
        states = frames.new_empty(*frames.shape[:-1], kernel.shape[2] // 4)
        for clip, made, *rows in zip(frames, states, *kept, strict=True):
            _forward(clip, made, _Kept(*rows), kernel, bias)
        ctx.save_for_backward(kernel)
        ctx.kept = kept
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (kernel,) = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, None
        if kept is None:
            raise ModelError("a ConvLSTM's states can be differentiated once; compute them anew")
        d_kernel, d_bias = torch.zeros_like(kernel), torch.zeros_like(kernel[0, 0])
        channels = kernel.shape[1] - d_states.shape[-1]
        d_frames = d_states.new_empty(*d_states.shape[:-1], channels)
        for d_clip, given, *rows in zip(d_frames, d_states, *kept, strict=True):
            _backward(d_clip, given, _Kept(*rows), kernel, d_kernel, d_bias)
        _spare.clear()
        _spare[_sizes(d_frames, kernel)] = kept
        return d_frames, d_kernel, d_bias


# Left by the last backward for the next forward of the same sizes: memory that is new to the
# process costs a page fault every 4 KB, a fifth of a step.
_spare: dict[tuple[int, ...], _Kept] = {}


def _sizes(frames: Tensor, kernel: Tensor) -> tuple[int, ...]:
    return *frames.shape[:-1], *kernel.shape[1:]


def _room(frames: Tensor, kernel: Tensor) -> _Kept:
    sizes = _sizes(frames, kernel)
    if (spare := _spare.pop(sizes, None)) is not None:
        return spare
    count, steps, height, width, inner, outer = sizes
    down, across = height // TILE, width // TILE
    tiles = _rows(down, across) * across
    pieces, places = down * across // tiles, TILE**2 * tiles
    cells = frames.new_empty(count, steps + 1, pieces, places, outer // 4)
    cells[:, 0] = 0
    return _Kept(
        frames.new_empty(count, steps, pieces, POINTS**2, tiles, inner),
        frames.new_empty(count, steps, pieces, places, outer),
        cells,
        frames.new_empty(count, steps, pieces, places, outer // 4),
    )


def _forward(frames: Tensor, states: Tensor, kept: _Kept, kernel: Tensor, bias: Tensor) -> None:
    """One clip (T, H, W, C) into `states` (T, H, W, D) and `kept`."""
    channels = frames.shape[-1]
    padded = functional.pad(frames, (0, states.shape[-1], 1, 1, 1, 1))  # hidden states behind
    products = kernel.new_empty(POINTS**2, kept.values.shape[-2], kernel.shape[2])
    analysis, synthesis = _square(_ANALYSIS), _square(_SYNTHESIS)
    for step, picture in enumerate(padded):
        if step:
            picture[1:-1, 1:-1, channels:] = states[step - 1]
        pieces = zip(*_pieces(picture, states[step]), *kept.of(step), strict=True)
        for tile, made, value, opened, before, cell, shown in pieces:
            torch.mm(analysis, tile.reshape(POINTS**2, -1), out=value.view(POINTS**2, -1))
            torch.bmm(value, kernel, out=products)
            products[_CONSTANT] += bias
            torch.mm(synthesis, products.view(POINTS**2, -1), out=opened.view(TILE**2, -1))
            i, f, c, o = open_gates(opened, -1, opened).chunk(4, -1)
            torch.mul(f, before, out=cell).addcmul_(i, c)
            made.copy_((o * tanh(cell, out=shown)).view(made.shape))


def _backward(
    d_frames: Tensor,
    d_states: Tensor,
    kept: _Kept,
    kernel: Tensor,
    d_kernel: Tensor,
    d_bias: Tensor,
) -> None:
    """Gradients of one clip: into `d_frames` (T, H, W, C), onto `d_kernel` and `d_bias`."""
    steps, height, width, channels = d_frames.shape
    d_cells = torch.zeros_like(kept.cells[0])
    d_products = kernel.new_empty(POINTS**2, kept.values.shape[-2], kernel.shape[2])
    d_values, back = torch.empty_like(kept.values[0, 0]), kernel.transpose(1, 2)
    analysis, synthesis = _square(_ANALYSIS).T, _square(_SYNTHESIS).T
    d_next: Tensor | float = 0.0
    for step in reversed(range(steps)):
        above = (d_states[step] + d_next).contiguous()
        d_picture = kernel.new_zeros(height + 2, width + 2, kernel.shape[1])
        pieces = zip(*_pieces(d_picture, above), *kept.of(step), d_cells, strict=True)
        for tile, given, value, opened, before, _, shown, d_cell in pieces:
            d_hidden = given.reshape(d_cell.shape)
            d_gates, d_before = step_back(opened, before, shown, d_hidden, d_cell, -1)
            d_cell.copy_(d_before)
            torch.mm(synthesis, d_gates.view(TILE**2, -1), out=d_products.view(POINTS**2, -1))
            d_bias += d_products[_CONSTANT].sum(0)
            d_kernel.baddbmm_(value.transpose(1, 2), d_products)
            torch.bmm(d_products, back, out=d_values)
            _scatter((analysis @ d_values.view(POINTS**2, -1)).view(tile.shape), tile)
        d_frames[step] = d_picture[1:-1, 1:-1, :channels]
        d_next = d_picture[1:-1, 1:-1, channels:]


def _square(matrix: Sequence[Sequence[float]]) -> Tensor:
    one = torch.tensor(matrix, dtype=torch.float32)
    return torch.kron(one, one)


def _rows(down: int, across: int) -> int:
    """Rows of tiles in a piece: as many as divide the picture and stay within `TILES`."""
    fit = [r for r in range(1, down + 1) if not down % r and r * across <= TILES]
    return max(fit, default=1)


def _pieces(padded: Tensor, picture: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """`_inputs` and `_outputs` of one frame, piece by piece."""
    return list(_inputs(padded)), list(_outputs(picture))


def _inputs(padded: Tensor) -> Iterator[Tensor]:
    """Overlapping views (6, 6, R, W / 4, C) of (H + 2, W + 2, C), piece by piece."""
    down, across = (side // TILE for side in padded.shape[:2])
    rows = _rows(down, across)
    line, pixel, _ = padded.stride()
    strides = (line, pixel, TILE * line, TILE * pixel, 1)
    shape = (POINTS, POINTS, rows, across, padded.shape[-1])
    for top in range(0, down, rows):
        yield padded.as_strided(shape, strides, padded.storage_offset() + TILE * top * line)


def _outputs(picture: Tensor) -> Iterator[Tensor]:
    """Views (4, 4, R, W / 4, D) of (H, W, D), in the same order."""
    height, width, channels = picture.shape
    down, across = height // TILE, width // TILE
    rows = _rows(down, across)
    tiles = picture.view(down // rows, rows, TILE, across, TILE, channels)
    yield from tiles.permute(0, 2, 4, 1, 3, 5)


def _scatter(found: Tensor, tile: Tensor) -> None:
    """Add (6, 6, R, W / 4, C) to a view of `_inputs`, whose tiles overlap by two pixels a side."""
    halves = slice(None, TILE), slice(TILE, None)  # within each no pixel occurs twice
    for rows in halves:
        for columns in halves:
            tile[rows, columns].add_(found[rows, columns])
