"""A ConvLSTM layer over large float32 states, trained in tiles by Winograd's F(4 x 4, 3 x 3).

Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): the 6 x 6 inputs of each
4 x 4 outputs are transformed, multiplied point by point with the transformed kernel and transformed
back: a quarter of the products. Backward is the transposed algorithm. Gates and states stay in
tiles, a piece of them at a time (`models.tiles`), so that a step never leaves the cache.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from models import tiles
from models.cell import go_back, go_on
from models.errors import ModelError
from models.tiles import POINTS, TILE

LEAST = 1024  # pixels of a state: below, the transforms cost what the products save


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
    # tanh(x) is 2 sigmoid(2 x) - 1: with c's columns doubled all four gates are sigmoids.
    double = weight.new_tensor([1.0, 1.0, 2.0, 1.0]).repeat_interleave(len(bias) // 4)
    kernel = tiles.transformed(weight) * double
    states: Tensor = _Layer.apply(frames.permute(0, 1, 3, 4, 2), kernel, bias * double)
    return states.permute(0, 1, 4, 2, 3)


class _Kept(NamedTuple):
    """What forward leaves for backward, tile by tile; K pieces of P tiles a frame.

    `values` (N, T, K, 36, P, C + D) transformed inputs, `opened` (N, T, K, 16 P, 4 D) gates,
    `cells` (N, T + 1, K, 16 P, D) halved states from the zero one on, `shown` (N, T, K, 16 P, D).
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
        states = frames.new_empty(*frames.shape[:-1], kernel.shape[2] // 4)
        kept = _room(states, kernel)
        forward = _Forward(kept, kernel, bias, states.shape[2:4])
        for clip, made, *rows in zip(frames, states, *kept, strict=True):
            forward.clip(clip, made, _Kept(*rows))
        ctx.save_for_backward(kernel)
        ctx.kept = kept
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        (kernel,) = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, None
        if kept is None:
            raise ModelError("a ConvLSTM's states can be differentiated once; compute them anew")
        channels = kernel.shape[1] - d_states.shape[-1] if ctx.needs_input_grad[0] else 0
        d_frames = d_states.new_empty(*d_states.shape[:-1], channels)
        backward = _Backward(kept, kernel, channels, d_states.shape[2:4])
        # A classifier may read the last state alone; gradients of zero are told at a glance.
        places = (2, 3, 4)
        asked = (d_states.amax(places) != 0) | (d_states.amin(places) != 0)
        clips = zip(d_frames, d_states, asked.tolist(), *kept, strict=True)
        for d_clip, given, wanted, *rows in clips:
            backward.clip(d_clip, given, wanted, _Kept(*rows))
        _spare.clear()
        _spare[_sizes(d_states, kernel)] = kept
        return d_frames if channels else None, backward.d_kernel, backward.d_bias


# Left by the last backward for the next forward of the same sizes: memory that is new to the
# process costs a page fault every 4 KB, a fifth of a step.
_spare: dict[tuple[int, ...], _Kept] = {}


def _sizes(states: Tensor, kernel: Tensor) -> tuple[int, ...]:
    return *states.shape[:-1], *kernel.shape[1:]


def _room(states: Tensor, kernel: Tensor) -> _Kept:
    sizes = _sizes(states, kernel)
    if (spare := _spare.pop(sizes, None)) is not None:
        return spare
    count, steps, height, width, inner, outer = sizes
    down, across = height // TILE, width // TILE
    piece = tiles.rows_of(down, across) * across
    pieces, places = down * across // piece, TILE**2 * piece
    cells = states.new_empty(count, steps + 1, pieces, places, outer // 4)
    cells[:, 0] = 0
    return _Kept(
        states.new_empty(count, steps, pieces, POINTS**2, piece, inner),
        states.new_empty(count, steps, pieces, places, outer),
        cells,
        states.new_empty(count, steps, pieces, places, outer // 4),
    )


class _Forward:
    """The forward pass of one clip after another, in the same scratch memory."""

    def __init__(self, kept: _Kept, kernel: Tensor, bias: Tensor, size: torch.Size) -> None:
        self.kernel, self.bias = kernel, bias
        self.picture = _bordered(kernel, size, kernel.shape[1])  # frame, hidden state behind
        self.pieces = list(tiles.inputs(self.picture))
        self.lifted = kernel.new_empty(self.pieces[0].shape)
        self.products = kernel.new_empty(*kept.values.shape[-3:-1], kernel.shape[2])
        self.constant = self.products[tiles.CONSTANT]
        self.analysis, self.synthesis = tiles.analysis(), tiles.synthesis()

    def clip(self, frames: Tensor, states: Tensor, kept: _Kept) -> None:
        """One clip (T, H, W, C) into `states` (T, H, W, D) and `kept`."""
        seen, remembered = _inside(self.picture).tensor_split([frames.shape[-1]], -1)
        remembered.zero_()
        for step, state in enumerate(states):
            seen.copy_(frames[step])
            pieces = zip(self.pieces, tiles.outputs(state), *kept.of(step), strict=True)
            for tile, made, value, opened, before, cell, shown in pieces:
                self._gates(tile, value, opened)
                o = go_on(opened, before, cell, shown)
                torch.mul(o.view(made.shape), shown.view(made.shape), out=made)
            remembered.copy_(state)

    def _gates(self, tile: Tensor, value: Tensor, opened: Tensor) -> None:
        self.lifted.copy_(tile)
        torch.mm(self.analysis, _flat(self.lifted), out=_flat(value))
        torch.bmm(value, self.kernel, out=self.products)
        self.constant.add_(self.bias)
        torch.mm(self.synthesis, _flat(self.products), out=opened.view(TILE**2, -1))


class _Backward:
    """The way back of one clip after another; adds up `d_kernel` and `d_bias`.

    With `channels` 0 the frames get no gradient: an odd column spoils a matrix product.
    """

    def __init__(self, kept: _Kept, kernel: Tensor, channels: int, size: torch.Size) -> None:
        self.d_kernel, self.d_bias = torch.zeros_like(kernel), torch.zeros_like(kernel[0, 0])
        self.channels, width = channels, channels + kernel.shape[2] // 4
        self.kernel = kernel[:, -width:].contiguous().transpose(1, 2)
        # Of a step and of the one before it, in turns: what a picture gathers is given to the next.
        self.d_pictures = [_bordered(kernel, size, width) for _ in range(2)]
        self.targets = [
            [tiles.quarters(tile) for tile in tiles.inputs(picture)] for picture in self.d_pictures
        ]
        self.d_cells = torch.empty_like(kept.cells[0, 0])
        self.d_hidden = torch.empty_like(kept.shown[0, 0, 0])
        self.d_gates = torch.empty_like(kept.opened[0, 0, 0])
        self.d_products = kernel.new_empty(*kept.values.shape[-3:-1], kernel.shape[2])
        self.d_constant = self.d_products[tiles.CONSTANT]
        self.d_values = kernel.new_empty(*kept.values.shape[-3:-1], width)
        self.d_inputs = torch.empty_like(self.d_values)
        in_rows = self.d_inputs.view(POINTS, POINTS, -1, size[1] // TILE, width)
        self.sources = tiles.quarters(in_rows)
        self.analysis, self.synthesis = tiles.analysis().T, tiles.synthesis().T

    def clip(self, d_frames: Tensor, d_states: Tensor, asked: list[bool], kept: _Kept) -> None:
        """One clip into `d_frames` (T, H, W, C or 0); `asked`: which of `d_states` are not 0."""
        self.d_cells.zero_()
        self.d_pictures[(len(d_states) - 1) % 2].zero_()  # the last step gets nothing from behind
        for step in reversed(range(len(d_states))):
            above, below = _inside(self.d_pictures[step % 2]), self.d_pictures[step % 2 - 1]
            d_state = above[..., self.channels :]
            if asked[step]:
                d_state += d_states[step]
            below.zero_()
            rows = tiles.outputs(d_state), *kept.of(step), self.d_cells, self.targets[step % 2 - 1]
            for given, value, opened, before, _, shown, d_cell, target in zip(*rows, strict=True):
                self.d_hidden.view(given.shape).copy_(given)
                go_back(opened, before, shown, self.d_hidden, d_cell, self.d_gates)
                self._kernel(value)
                if step or self.channels:  # nobody asks for the gradient of the zero state
                    self._inputs(target)
            d_frames[step] = _inside(below)[..., : self.channels]

    def _kernel(self, value: Tensor) -> None:
        torch.mm(self.synthesis, self.d_gates.view(TILE**2, -1), out=_flat(self.d_products))
        self.d_bias.add_(self.d_constant.sum(0))
        self.d_kernel.baddbmm_(value.transpose(1, 2), self.d_products)

    def _inputs(self, target: list[Tensor]) -> None:
        torch.bmm(self.d_products, self.kernel, out=self.d_values)
        torch.mm(self.analysis, _flat(self.d_values), out=_flat(self.d_inputs))
        for sums, found in zip(target, self.sources, strict=True):
            sums.add_(found)


def _bordered(like: Tensor, size: torch.Size, channels: int) -> Tensor:
    height, width = size
    return like.new_zeros(height + 2, width + 2, channels)


def _inside(picture: Tensor) -> Tensor:
    return picture[1:-1, 1:-1]


def _flat(points: Tensor) -> Tensor:
    return points.view(POINTS**2, -1)
