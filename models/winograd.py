"""A ConvLSTM layer over large float32 states, trained in tiles by Winograd's F(4 x 4, 3 x 3).

Lavin & Gray, "Fast algorithms for convolutional neural networks" (2016): the 6 x 6 inputs of each
4 x 4 outputs are transformed, multiplied point by point with the transformed kernel and transformed
back: a quarter of the products. Backward is the transposed algorithm. Gates and states stay in
tiles, a piece of them at a time (`models.tiles`), so that a step never leaves the cache.
"""

from collections.abc import Iterator
from ctypes import byref
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from models import tiles
from models.errors import ModelError
from models.tiles import LANES, LINE, POINTS, TILE, TILES, at

LEAST = 1024  # pixels of a state: below, the transforms cost what the products save
_KERNEL = [[1 / 4, 0.0, 0.0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
           [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0.0, 0.0, 1.0]]  # fmt: skip


def fits(frames: Tensor, weight: Tensor) -> bool:
    """Whether a layer of `weight` (4 D, C + D, k, k) learns from (N, T, C, H, W) faster in tiles.

    Without gradients direct convolution is closer to float64 by half a digit.
    """
    height, width = frames.shape[-2:]
    whole = height % TILE == 0 and width % TILE == 0 and len(weight) % (4 * LANES) == 0
    plain = frames.dtype == torch.float32 and frames.device.type == "cpu"
    learns = torch.is_grad_enabled() and weight.requires_grad
    return (
        whole and plain and learns and weight.shape[-1] == 3 and height * width >= LEAST
        and not torch.is_autocast_enabled("cpu") and not tiles.reason()
    )  # fmt: skip


def hidden_states(frames: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(N, T, C, H, W) > the hidden states (N, T, D, H, W) of `models.convlstm.ConvLSTM`.

    `weight` (4 D, C + D, 3, 3) and `bias` (4 D,) without peepholes; `fits` must hold.
    """
    behind = weight.roll(-frames.shape[2], 1)  # the state's channels before the frame's
    states: Tensor = _Layer.apply(frames.permute(0, 1, 3, 4, 2), transformed(behind), bias)
    return states.permute(0, 1, 4, 2, 3)


def transformed(weight: Tensor) -> Tensor:
    """A convolution's weight (D, C, 3, 3) as (36, C, D), one matrix a point."""
    line = torch.tensor(_KERNEL)
    points = torch.kron(line, line) @ weight.permute(2, 3, 1, 0).flatten(2).flatten(0, 1)
    return points.view(POINTS**2, weight.shape[1], weight.shape[0])


class _Kept(NamedTuple):
    """What forward leaves for backward; K pieces, P tiles.

    `values` (N, T, K, 36 planes) transformed inputs, `gates` (N, T, 16 P, 4, D) opened, `cells`
    (N, T + 1, 16 P, D) the states from the zero one on, `shown` (N, T, 16 P, D) their tanh.
    """

    values: Tensor
    gates: Tensor
    cells: Tensor
    shown: Tensor


class _Layer(torch.autograd.Function):
    """(N, T, H, W, C) > (N, T, H, W, D)."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        states = frames.new_empty(*frames.shape[:-1], kernel.shape[2] // 4)
        kept = _room(states, kernel)
        forward = _Forward(kernel, bias.contiguous(), states.shape[2:4])
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
        backward = _Backward(kernel, channels, d_states.shape[2:4])
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
    pieces, places, hidden = -(-height * width // TILE**2 // TILES), height * width, outer // 4
    cells = states.new_empty(count, steps + 1, places, hidden)
    cells[:, 0] = 0
    return _Kept(
        states.new_empty(count, steps, pieces, POINTS**2 * _plane(inner)),
        states.new_empty(count, steps, places, 4, hidden),
        cells,
        states.new_empty(count, steps, places, hidden),
    )


def _plane(channels: int) -> int:
    """Floats from one of the 36 planes of a piece to the next."""
    return TILES * channels + LINE


def _values(memory: Tensor, count: int, channels: int) -> Tensor:
    """The (36, count, channels) matrices of a piece of `count` tiles."""
    shape, strides = (POINTS**2, count, channels), (_plane(channels), channels, 1)
    return memory.as_strided(shape, strides, memory.storage_offset())


def _packed(memory: Tensor, count: int, channels: int) -> Tensor:
    """The same without gaps: torch hands only such a result to its fast batched product."""
    return memory[: POINTS**2 * count * channels].view(POINTS**2, count, channels)


class _Tiles:
    """Pictures of one size in tiles: what both directions share."""

    def __init__(self, kernel: Tensor, channels: int, size: torch.Size) -> None:
        self.kernel, self.hidden = kernel, kernel.shape[2] // 4
        height, width = size
        self.inner = self.hidden + channels
        rounded = -(-self.inner // LANES) * LANES
        # Of a step and of the one before it, in turns: what a step gathers is given to the next.
        self.pictures = [kernel.new_zeros(height + 2, width + 2, rounded) for _ in range(2)]
        self.shape = tiles.Shape(
            width // TILE, width + 2, rounded, self.hidden, self.inner, _plane(self.inner)
        )
        self.products = kernel.new_empty(POINTS**2 * TILES * 4 * self.hidden)
        self.count = height * width // TILE**2
        self.c = tiles.library()

    def pieces(self) -> Iterator[tuple[int, int]]:
        """First tile of a piece and the one behind its last."""
        for first in range(0, self.count, TILES):
            yield first, min(first + TILES, self.count)

    def of(self, picture: Tensor, start: int, stop: int | None = None) -> Tensor:
        """Some channels of a picture without its border."""
        return picture[1:-1, 1:-1, start:stop]


class _Forward(_Tiles):
    """The forward pass of one clip after another, in the same scratch memory."""

    def __init__(self, kernel: Tensor, bias: Tensor, size: torch.Size) -> None:
        super().__init__(kernel, kernel.shape[1] - kernel.shape[2] // 4, size)
        self.bias = bias

    def clip(self, frames: Tensor, states: Tensor, kept: _Kept) -> None:
        """One clip (T, H, W, C) into `states` (T, H, W, D) and `kept`."""
        self.of(self.pictures[0], 0, self.hidden).zero_()
        for step, state in enumerate(states):
            now, then = self.pictures[step % 2], self.pictures[step % 2 - 1]
            self.of(now, self.hidden, self.inner).copy_(frames[step])
            rows = kept.cells[step], kept.gates[step], kept.cells[step + 1], kept.shown[step]
            places = [at(tensor) for tensor in (self.bias, *rows, then)]
            for value, (first, last) in zip(kept.values[step], self.pieces(), strict=True):
                self.c.see(byref(self.shape), at(now), at(value), first, last)
                products = _packed(self.products, last - first, 4 * self.hidden)
                torch.bmm(_values(value, last - first, self.inner), self.kernel, out=products)
                self.c.go_on(byref(self.shape), at(products), *places, first, last)
            state.copy_(self.of(then, 0, self.hidden))


class _Backward(_Tiles):
    """The way back of one clip after another; adds up `d_kernel` and `d_bias`.

    With `channels` 0 the frames get no gradient: an odd column spoils a matrix product.
    """

    def __init__(self, kernel: Tensor, channels: int, size: torch.Size) -> None:
        super().__init__(kernel, channels, size)
        self.d_kernel, self.d_bias = torch.zeros_like(kernel), torch.zeros_like(kernel[0, 0])
        self.turned = kernel[:, : self.inner].contiguous().transpose(1, 2)
        self.d_cell = kernel.new_empty(TILE**2 * self.count, self.hidden)
        self.d_values = kernel.new_empty(POINTS**2 * TILES * self.inner + LINE)

    def clip(self, d_frames: Tensor, d_states: Tensor, asked: list[bool], kept: _Kept) -> None:
        """One clip into `d_frames` (T, H, W, C or 0); `asked`: which of `d_states` are not 0."""
        self.d_cell.zero_()
        self.pictures[len(d_states) % 2 - 1].zero_()  # the last step gets nothing from behind
        d_bias = self.d_bias.new_zeros(len(d_states), len(self.d_bias))
        for step in reversed(range(len(d_states))):
            above, below = self.pictures[step % 2], self.pictures[step % 2 - 1]
            if asked[step]:
                self.of(above, 0, self.hidden).add_(d_states[step])
            below.zero_()
            rows = kept.gates[step], kept.cells[step], kept.shown[step], above, self.d_cell
            places = [at(tensor) for tensor in (*rows, self.products, d_bias[step])]
            for value, (first, last) in zip(kept.values[step], self.pieces(), strict=True):
                self.c.go_back(byref(self.shape), *places, first, last)
                products = _packed(self.products, last - first, 4 * self.hidden)
                seen = _values(value, last - first, self.d_kernel.shape[1])
                self.d_kernel.baddbmm_(seen.transpose(1, 2), products)
                if step or self.inner > self.hidden:  # nobody asks for the zero state's gradient
                    self._inputs(products, below, first, last)
            d_frames[step] = self.of(below, self.hidden, self.inner)
        self.d_bias += d_bias.sum(0)

    def _inputs(self, products: Tensor, below: Tensor, first: int, last: int) -> None:
        d_values = _packed(self.d_values, last - first, self.inner)
        torch.bmm(products, self.turned, out=d_values)
        self.c.see_back(byref(self.shape), at(d_values), at(below), first, last)
