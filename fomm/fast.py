"""The same motion model, faster on a CPU: `fomm.prepare(model).model.animate(...)`.

Normalisation is folded into the convolutions; doubling the pixels before a 3 x 3 convolution is
four phases at the small size; memory is channels-last. Without matrix units, where a C compiler is
at hand, 3 x 3 convolutions run in Winograd's tiles; else torch's own are the fastest.
"""

from copy import deepcopy
from typing import Literal, NamedTuple, get_args

import torch
from torch import nn

from fomm import tiles
from fomm.errors import MotionError
from fomm.folded import Block, FastResidual, Up, Window, folded
from fomm.layers import ConvBlock, DownBlock, ResidualBlock, UpBlock
from fomm.model import MotionModel

Mode = Literal["exact", "fast"]
# Outputs a side of the compiled tiles: larger ones multiply less and lose digits.
LARGE: dict[str, int] = {"exact": 6, "fast": 8}
HEAD = 7  # the kernel of the networks' last layers
COMPILED = "tiles compiled for this processor"


class Prepared(NamedTuple):
    """A `model` to use as any other, the `mode` it really runs in, why (`because`), and `how`."""

    model: MotionModel
    mode: Mode
    because: str
    how: str = "torch's operations"


def prepare(model: MotionModel, mode: str = "exact") -> Prepared:
    """A faster copy of `model` for inference on a CPU; `model` itself stays as it is.

    `exact`: float32 throughout, frames within about 1e-4 of [0, 1] of the model's own. `fast`,
    within about 1e-2: where the processor has matrix units for bfloat16, the decoder uses them;
    else everything stays float32 and the 3 x 3 convolutions take larger tiles, which lose digits.
    That needs a C compiler; without one the mode is `exact`. MotionError when the mode is unknown.
    """
    if mode not in get_args(Mode):
        raise MotionError(f"unknown mode '{mode}'; known: {', '.join(get_args(Mode))}")
    if mode == "fast" and tiles.matrix_units():
        made = _halved(_exchanged(model, None))
        return Prepared(made, "fast", "this processor has matrix units for bfloat16")
    lacking = tiles.reason()
    if mode == "fast" and not lacking:
        made, why = _exchanged(model, LARGE["fast"]), "no matrix units here: larger tiles"
        return Prepared(made, "fast", why, COMPILED)
    why = "nothing faster was asked for"
    if mode == "fast":
        why = f"this processor has no matrix units, and {lacking}"
    if lacking:
        return Prepared(_exchanged(model, None), "exact", why, f"torch's operations: {lacking}")
    return Prepared(_exchanged(model, LARGE["exact"]), "exact", why, COMPILED)


def _halved(fast: MotionModel) -> MotionModel:
    """The decoder in bfloat16; key points, motion and sampling need float32."""
    for part in (fast.generator.bottleneck, fast.generator.up_blocks, fast.generator.final):
        part.to(torch.bfloat16)
    return fast


def _exchanged(model: MotionModel, large: int | None) -> MotionModel:
    """A copy of folded blocks, in compiled tiles of that size or in torch's operations (None)."""
    fast = deepcopy(model).eval().requires_grad_(False)
    _exchange(fast, large)
    fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lags
    return fast


def _exchange(parent: nn.Module, large: int | None) -> None:
    for name, child in parent.named_children():
        made = _fast(child, large)
        if made is None:
            _exchange(child, large)
        else:
            setattr(parent, name, made)


def _fast(block: nn.Module, large: int | None) -> nn.Module | None:
    if isinstance(block, ResidualBlock):
        return FastResidual(block, large)
    if isinstance(block, UpBlock):
        return Up(*folded(block.conv, block.norm), large)
    if isinstance(block, ConvBlock):
        made = folded(block.conv, block.norm)
        return Block(*made, large, halve=isinstance(block, DownBlock))
    if large and isinstance(block, nn.Conv2d) and block.kernel_size == (HEAD, HEAD):
        return Window(block)
    return None
