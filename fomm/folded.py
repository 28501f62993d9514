"""Blocks of the motion networks for inference, normalisation folded into the convolutions.

Each works in torch's own operations or, given the side of the `large` tiles, in those of `tiles`,
compiled for this processor. What a kernel is transformed to is made at its first use.
"""

from collections.abc import Callable, Hashable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fomm import tiles
from fomm.layers import ResidualBlock

SMALL = 16  # pixels a side up to which doubling the picture beats four phases' larger kernels


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight (O, I, k, k) and bias (O,) of a convolution that is then normalised."""
    gain, shift = affine(norm)
    weight = conv.weight * gain[:, None, None, None]
    return weight, (conv.bias * gain if conv.bias is not None else 0) + shift


def affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Gain and shift (C,) that the trained normalisation amounts to."""
    assert norm.running_var is not None
    assert norm.running_mean is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return gain, norm.bias - norm.running_mean * gain


class _Folded(nn.Module):
    """Weight (O, I, k, k) and bias (O,), and the forms of the weight that were needed so far."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, large: int | None):
        super().__init__()
        self.register_buffer("weight", weight.detach().clone(), persistent=False)
        self.register_buffer("bias", bias.detach().clone(), persistent=False)
        whole = weight.shape[-1] == 3 and len(weight) % tiles.WIDE == 0
        self.large = large if whole else None
        self._forms: dict[Hashable, Tensor] = {}

    def form(self, name: Hashable, make: Callable[[], Tensor]) -> Tensor:
        if name not in self._forms:
            self._forms[name] = make()
        return self._forms[name]


class Convolution(_Folded):
    """A convolution of odd kernel with zero padding, 3 x 3 ones in tiles where that is faster."""

    def __init__(self, weight: Tensor, bias: Tensor, large: int | None = None):
        super().__init__(weight, bias, large)

    def forward(
        self, x: Tensor, relu: bool = False, before: tuple[Tensor, Tensor] | None = None,
        shortcut: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """`before`: gain and shift (I,) of a normalisation and ReLU; `shortcut` is added after."""
        if self.large is not None:
            tile = tiles.fitting(x, self.large)
            kernel = self.form(tile, lambda: tiles.packed_kernel(self.weight, tile))
            return tiles.convolve(
                x, kernel, self.bias, tile, relu=relu, before=before, shortcut=shortcut
            )
        if before:
            gain, shift = (values[:, None, None] for values in before)
            x = torch.addcmul(shift, x, gain).relu_()
        out = F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)
        if shortcut is not None:
            out.add_(shortcut)
        return out.relu_() if relu else out


class Block(Convolution):
    """A folded ConvBlock, or DownBlock with `halve`."""

    def __init__(self, weight: Tensor, bias: Tensor, large: int | None = None, halve: bool = False):
        super().__init__(weight, bias, large)
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # a block has no options
        out = super().forward(x, relu=True)
        return F.avg_pool2d(out, 2) if self.halve else out


class Up(_Folded):
    """A folded UpBlock: four phases at the small size, (N, I, H, W) > (N, O, 2H, 2W)."""

    def __init__(self, weight: Tensor, bias: Tensor, large: int | None = None):
        super().__init__(weight, bias, large)
        # Beside the convolution itself, so that both follow the module to another type.
        self.register_buffer("halves", phases(weight), persistent=False)
        self.halves: Tensor

    def forward(self, x: Tensor) -> Tensor:
        return self._by_torch(x) if self.large is None else self._compiled(x, self.large)

    def _compiled(self, x: Tensor, large: int) -> Tensor:
        if min(x.shape[-2:]) > SMALL:
            tile = tiles.fitting(x, large)
            kernel = self.form((2, tile), lambda: tiles.packed_kernel(in_three(self.halves), tile))
            return tiles.convolve(x, kernel, self.bias.repeat(4), tile, step=2, relu=True)
        doubled = F.interpolate(x, scale_factor=2.0)
        tile = tiles.fitting(doubled, large)
        kernel = self.form((1, tile), lambda: tiles.packed_kernel(self.weight, tile))
        return tiles.convolve(doubled, kernel, self.bias, tile, relu=True)

    def _by_torch(self, x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        found = F.conv2d(x, self.halves, self.bias.repeat(4), padding=1).relu_()
        found = found.unflatten(1, (2, 2, -1))  # (N, phase, phase, O, H + 1, W + 1)
        out = x.new_empty(count, height, 2, width, 2, found.shape[3])
        for i in (0, 1):
            for j in (0, 1):
                phase = found[:, i, j, :, i : i + height, j : j + width]
                out[:, :, i, :, j] = phase.permute(0, 2, 3, 1)
        return out.view(count, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)


def phases(weight: Tensor) -> Tensor:
    """(O, I, 3, 3) after nearest doubling as (4 O, I, 2, 2) kernels of the undoubled picture.

    Phases row by row, then O: phase (i, j) makes the pixels of odd (1) or even (0) row and column;
    in an even row the first tap falls on the pixel above, the other two on the same one.
    """
    taps = torch.tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], dtype=weight.dtype)
    found = torch.einsum("iau,oquv,jbv->ijoqab", taps, weight.detach(), taps)
    return found.flatten(0, 2)


def in_three(weight: Tensor) -> Tensor:
    """(4 O, I, 2, 2) phases as (4 O, I, 3, 3) kernels around the pixel itself."""
    parts = weight.unflatten(0, (2, 2, -1))
    rows = [torch.stack([F.pad(parts[i, j], (j, 1 - j, i, 1 - i)) for j in (0, 1)]) for i in (0, 1)]
    return torch.stack(rows).flatten(0, 2)


class FastResidual(nn.Module):
    """A ResidualBlock whose second normalisation is folded; the shortcut keeps the first apart."""

    gain: Tensor
    shift: Tensor

    def __init__(self, block: ResidualBlock, large: int | None = None):
        super().__init__()
        gain, shift = affine(block.norm1)
        self.register_buffer("gain", gain.detach().clone(), persistent=False)
        self.register_buffer("shift", shift.detach().clone(), persistent=False)
        assert block.conv2.bias is not None
        self.conv1 = Convolution(*folded(block.conv1, block.norm2), large)
        self.conv2 = Convolution(block.conv2.weight, block.conv2.bias, large)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(x, relu=True, before=(self.gain, self.shift))
        out: Tensor = self.conv2(inner, shortcut=x)
        return out


class Window(_Folded):
    """A convolution of a large kernel and few outputs, in compiled sums of window rows."""

    def __init__(self, conv: nn.Conv2d):
        assert conv.bias is not None
        assert isinstance(conv.padding[0], int)
        super().__init__(conv.weight, conv.bias, None)
        self.padding = conv.padding[0]

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.form("window", lambda: tiles.packed_window(self.weight))
        return tiles.correlate(x, kernel, self.bias, self.padding)
