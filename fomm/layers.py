"""Blocks that the networks share; attribute names are the keys of the published checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fomm.config import MOTION_SIZE, HourglassConfig
from fomm.errors import MotionError
from fomm.geometry import full_precision


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU at one size: (N, I, H, W) > (N, O, H, W)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class DownBlock(ConvBlock):
    """A ConvBlock, then the mean of each 2 x 2: (N, I, H, W) > (N, O, H/2, W/2)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(super().forward(x), 2)


class UpBlock(ConvBlock):
    """Each pixel doubled, then a ConvBlock: (N, I, H, W) > (N, O, 2H, 2W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=2.0))


class ResidualBlock(nn.Module):
    """Two pre-activated 3 x 3 convolutions around a shortcut; the shape stays."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(x)))
        return x + self.conv2(F.relu(self.norm2(y)))


class _Encoder(nn.Module):
    def __init__(self, inputs: int, config: HourglassConfig):
        super().__init__()
        widths = [inputs, *(_width(config, i + 1) for i in range(config.blocks))]
        self.down_blocks = nn.ModuleList(map(DownBlock, widths[:-1], widths[1:]))

    def forward(self, x: Tensor) -> list[Tensor]:
        sizes = [x]
        for block in self.down_blocks:
            sizes.append(block(sizes[-1]))
        return sizes


class _Decoder(nn.Module):
    def __init__(self, config: HourglassConfig):
        super().__init__()
        last = config.blocks - 1
        self.up_blocks = nn.ModuleList(
            UpBlock((1 if i == last else 2) * _width(config, i + 1), _width(config, i))
            for i in range(last, -1, -1)
        )

    def forward(self, sizes: list[Tensor]) -> Tensor:
        x = sizes.pop()
        for block in self.up_blocks:
            x = torch.cat([block(x), sizes.pop()], dim=1)
        return x


class Hourglass(nn.Module):
    """U-Net whose last skip is the raw input: (N, I, H, W) > (N, width + I, H, W)."""

    def __init__(self, inputs: int, config: HourglassConfig):
        super().__init__()
        self.encoder = _Encoder(inputs, config)
        self.decoder = _Decoder(config)
        self.channels = config.width + inputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.encoder(x))
        return out


def _width(config: HourglassConfig, doublings: int) -> int:
    return min(config.max_width, config.width * 2**doublings)


def antialias_kernel(factor: int, channels: int = 3) -> Tensor:
    """The (C, 1, k, k) Gaussian that is applied before keeping each `factor`-th pixel."""
    sigma = (factor - 1) / 2
    radius = round(sigma * 4)
    x = torch.arange(-radius, radius + 1, dtype=torch.float64)
    line = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum()).float().expand(channels, 1, -1, -1).contiguous()


def antialias_down(image: Tensor, kernel: Tensor, factor: int) -> Tensor:
    """(N, C, H, W) > (N, C, H/factor, W/factor): blurred with zero padding, then subsampled."""
    pad = kernel.shape[-1] // 2
    with full_precision(image):
        return F.conv2d(image, kernel, stride=factor, padding=pad, groups=len(kernel))


class MotionInput(nn.Module):
    """Frames of any fitting size shrunk to the 64 x 64 pixels that the motion networks see.

    The checkpoint's kernel serves the size the model was trained at; for another size the
    Gaussian of that factor is made (512 px: scale 0.125, as the authors advise).
    """

    weight: Tensor

    def __init__(self, factor: int):
        super().__init__()
        self.factor = factor
        self.register_buffer("weight", antialias_kernel(factor))

    def forward(self, image: Tensor) -> Tensor:
        factor, rest = divmod(int(image.shape[-1]), MOTION_SIZE)  # int: a tensor when traced
        if rest or not factor or image.shape[-1] != image.shape[-2]:
            high, wide = image.shape[-2:]
            raise MotionError(
                f"frames are {wide} x {high} pixels; the motion model takes squares "
                f"of a multiple of {MOTION_SIZE} pixels: crop and resize them"
            )
        if factor == 1:
            return image
        same = factor == self.factor
        kernel = self.weight if same else antialias_kernel(factor).to(image.device)
        return antialias_down(image, kernel, factor)
