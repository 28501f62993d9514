"""Where training starts: an earlier model, or a generator that already passes colours on.

From random filters a network takes most of a short training to find out that skin stays skin.
Here six channels carry red, green and blue and their negatives (batch norm and ReLU would cut off
what is darker than the mean) from the first layer to the last. The published layers stay as they
are: only their first values differ.
"""

from typing import Any

import torch
from torch import Tensor, nn

from fomm.errors import MotionError
from fomm.generator import Generator
from fomm.model import MotionModel

COLOURS = 3
FAINT = 0.1  # of its random start: what other channels add to the first predictions


def take_over(model: MotionModel, start: MotionModel) -> None:
    """Let `model` begin as `start`; where their decoders differ, with its motion networks only."""
    if start.config == model.config:
        model.load_state_dict(start.state_dict())
        return
    _load(model.kp_detector, start.kp_detector)
    _load(model.generator.dense_motion_network, start.generator.dense_motion_network)


def _load(network: nn.Module, start: nn.Module) -> None:
    """All but the kernels that make frames small: those follow from the frames' own size."""
    known = {name: v for name, v in start.state_dict().items() if not name.startswith("down.")}
    wanted = {name for name in network.state_dict() if not name.startswith("down.")}
    if known.keys() != wanted:
        raise MotionError("a training can only go on from a model with the same motion networks")
    network.load_state_dict(known, strict=False)


@torch.no_grad()
def pass_through(generator: Generator) -> None:
    """Let the first six filters of each layer carry the colours to the output; in place."""
    split = torch.cat([torch.eye(COLOURS), -torch.eye(COLOURS)])  # (6, 3): colour, its negative
    joined = split.T  # (3, 6): their difference is the colour again
    _carry(generator.first.conv, split)
    scaling: list[Any] = [*generator.down_blocks, *generator.up_blocks]
    for block in scaling:
        _carry(block.conv, split @ joined)
    residual: list[Any] = [*generator.bottleneck]
    for block in residual:
        nn.init.zeros_(block.conv2.weight)  # the shortcut alone (Goyal et al. 2017)
        nn.init.zeros_(block.conv2.bias)
    if generator.blend:
        for parameter in generator.places.parameters():
            nn.init.zeros_(parameter)
    generator.final.weight *= FAINT
    _carry(generator.final, joined)


def _carry(convolution: nn.Conv2d, weights: Tensor) -> None:
    """Set the first (O, I) filters to `weights` at their centre and zero elsewhere."""
    outputs, inputs = weights.shape
    middle = convolution.kernel_size[0] // 2
    if outputs < convolution.out_channels:
        convolution.weight[:outputs] = 0  # carried colours stay pure
    convolution.weight[:outputs, :inputs, middle, middle] = weights
