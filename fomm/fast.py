"""The same motion model, faster on a CPU: `fomm.prepare(model).model.animate(...)`.

Normalisation is folded into the convolutions; doubling the pixels before a 3 x 3 convolution is
four phases at the small size; 3 x 3 convolutions run in Winograd's tiles; memory is channels-last.
"""

from copy import deepcopy
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fomm import winograd
from fomm.errors import MotionError
from fomm.layers import ConvBlock, DownBlock, ResidualBlock, UpBlock
from fomm.model import MotionModel

Mode = Literal["exact", "fast"]


class Prepared(NamedTuple):
    """A `model` to use as any other, the `mode` it really runs in, and why (`because`)."""

    model: MotionModel
    mode: Mode
    because: str


def prepare(model: MotionModel, mode: str = "exact") -> Prepared:
    """A faster copy of `model` for inference on a CPU; `model` itself stays as it is.

    `exact`: float32 throughout, frames within about 1e-4 of [0, 1] of the model's own. `fast`: the
    decoder in bfloat16, within about 1e-2, where the processor computes in it; elsewhere bfloat16
    is slower than float32, and the mode is `exact`. MotionError when the mode is unknown.
    """
    if mode not in get_args(Mode):
        raise MotionError(f"unknown mode '{mode}'; known: {', '.join(get_args(Mode))}")
    fast = deepcopy(model).eval().requires_grad_(False)
    _exchange(fast)
    fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lags
    if mode == "exact":
        return Prepared(fast, "exact", "it was asked for")
    if not computes_bfloat16():
        return Prepared(fast, "exact", "this processor has no bfloat16 arithmetic")
    return Prepared(_halved(fast), "fast", "this processor computes in bfloat16")


def computes_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself (AMX or AVX-512 BF16)."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _halved(fast: MotionModel) -> MotionModel:
    """The decoder in bfloat16; key points, motion and sampling need float32."""
    for part in (fast.generator.bottleneck, fast.generator.up_blocks, fast.generator.final):
        part.to(torch.bfloat16)
    return fast


def _exchange(parent: nn.Module) -> None:
    for name, child in parent.named_children():
        made = _fast(child)
        if made is None:
            _exchange(child)
        else:
            setattr(parent, name, made)


def _fast(block: nn.Module) -> nn.Module | None:
    if isinstance(block, ResidualBlock):
        return FastResidual(block)
    if isinstance(block, UpBlock):
        return Up(*folded(block.conv, block.norm))
    if isinstance(block, ConvBlock):
        return Block(*folded(block.conv, block.norm), halve=isinstance(block, DownBlock))
    return None


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


class Convolution(nn.Module):
    """A convolution of odd kernel with zero padding, 3 x 3 ones in tiles where that is faster."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weight", weight.detach().clone(), persistent=False)
        self.register_buffer("bias", bias.detach().clone(), persistent=False)
        self._kernel: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        size = self.weight.shape[-1]
        if size != 3 or not winograd.fits(x):
            return F.conv2d(x, self.weight, self.bias, padding=size // 2)
        if self._kernel is None:
            self._kernel = winograd.transformed_kernel(self.weight)
        return winograd.convolve(x, self._kernel, self.bias)


class Block(Convolution):
    """A folded ConvBlock, or DownBlock with `halve`."""

    def __init__(self, weight: Tensor, bias: Tensor, halve: bool):
        super().__init__(weight, bias)
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x).relu_()
        return F.avg_pool2d(out, 2) if self.halve else out


class Up(nn.Module):
    """A folded UpBlock: four 2 x 2 phases at the small size, (N, I, H, W) > (N, O, 2H, 2W)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weight", phases(weight), persistent=False)
        self.register_buffer("bias", bias.detach().repeat(4), persistent=False)
        self._kernel: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if winograd.fits(x):
            if self._kernel is None:
                self._kernel = winograd.transformed_kernel(in_three(self.weight))
            return winograd.convolve(x, self._kernel, self.bias, double=True).relu_()
        count, _, height, width = x.shape
        found = F.conv2d(x, self.weight, self.bias, padding=1).relu_()
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

    def __init__(self, block: ResidualBlock):
        super().__init__()
        gain, shift = affine(block.norm1)
        self.register_buffer("gain", gain.detach()[:, None, None], persistent=False)
        self.register_buffer("shift", shift.detach()[:, None, None], persistent=False)
        assert block.conv2.bias is not None
        self.conv1 = Convolution(*folded(block.conv1, block.norm2))
        self.conv2 = Convolution(block.conv2.weight, block.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.addcmul(self.shift, x, self.gain).relu_()
        return self.conv2(self.conv1(inner).relu_()).add_(x)
