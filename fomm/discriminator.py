"""The patch discriminator, used in training only."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from fomm.config import MotionConfig
from fomm.geometry import gaussians
from fomm.keypoints import KeyPoints


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, norm: bool, pool: bool, spectral: bool):
        super().__init__()
        self.conv = _convolution(inputs, outputs, 4, spectral)
        self.norm = nn.InstanceNorm2d(outputs, affine=True) if norm else None
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = F.leaky_relu(self.norm(x) if self.norm is not None else x, 0.2)
        return F.avg_pool2d(x, 2) if self.pool else x


class _Patches(nn.Module):
    def __init__(self, config: MotionConfig):
        super().__init__()
        own = config.discriminator
        inputs = 3 + (config.key_points if own.heatmaps else 0)
        widths = [
            inputs,
            *(min(own.max_width, own.width * 2 ** (i + 1)) for i in range(own.blocks)),
        ]
        last = own.blocks - 1
        self.down_blocks = nn.ModuleList(
            _Block(widths[i], widths[i + 1], i > 0, i < last, own.spectral)
            for i in range(own.blocks)
        )
        self.conv = _convolution(widths[-1], 1, 1, own.spectral)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        features = []
        for block in self.down_blocks:
            x = block(x)
            features.append(x)
        return features, self.conv(x)


class Discriminator(nn.Module):
    """Tells renders from predictions patch by patch (Isola et al. 2017, LSGAN).

    Frames (N, 3, H, W) in [0, 1], with key points where the configuration asks for heat maps,
    to features of each block and a map (N, 1, h, w) whose target is 1 for real.
    """

    def __init__(self, config: MotionConfig):
        super().__init__()
        self.discs = nn.ModuleDict({"1": _Patches(config)})
        self.heatmaps = config.discriminator.heatmaps

    def forward(
        self, frames: Tensor, key_points: KeyPoints | None = None
    ) -> tuple[list[Tensor], Tensor]:
        if self.heatmaps:
            if key_points is None:
                raise TypeError("this discriminator sees key points; pass them")
            heat = gaussians(key_points.value, *frames.shape[-2:])
            frames = torch.cat([frames, heat], dim=1)
        out: tuple[list[Tensor], Tensor] = self.discs["1"](frames)
        return out


def _convolution(inputs: int, outputs: int, kernel: int, spectral: bool) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, kernel)
    # The hook form of spectral norm is what the published keys (weight_orig, weight_u) come from.
    return spectral_norm(conv) if spectral else conv
