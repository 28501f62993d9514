"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), Table 2."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.errors import ModelError
from models.network import Sizes, share
from models.picture import PictureNetwork

# Expansion, channels, blocks and stride of the first block, a row of the table each.
ROWS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
FIRST, LAST = 32, 1280  # channels of the first and the last convolution
EIGHT = 8  # channels are whole multiples of it (the authors' own code)


@dataclass(frozen=True)
class MobileNetV2Config:
    """What can be chosen of a `MobileNetV2`."""

    width: float = 0.35  # the smallest published multiplier of the channels: 0.4 M weights, not 2.2
    dropout: float = 0.2  # before the last layer, as in the paper's own code

    def __post_init__(self) -> None:
        if isinstance(self.width, bool) or not isinstance(self.width, int | float):
            raise ModelError(f"'width' must be a number, got {self.width!r}")
        if not 0.1 <= self.width <= 1.4:
            raise ModelError(f"'width' must be from 0.1 to 1.4, got {self.width!r}")
        share("dropout", self.dropout)


class MobileNetV2(PictureNetwork):
    """Inverted residuals with linear bottlenecks; 3,504,872 weights at width 1, RGB, 1000 classes.

    It halves a picture five times, as published for 224 px: 64 px end as 2 x 2.
    """

    def __init__(self, sizes: Sizes, config: MobileNetV2Config) -> None:
        super().__init__(sizes, config)
        before = eighths(FIRST * config.width)
        layers: list[nn.Module] = _convolution(sizes.channels, before, 3, stride=2)
        for expansion, channels, blocks, stride in ROWS:
            after = eighths(channels * config.width)
            for number in range(blocks):
                layers.append(_Inverted(before, after, expansion, 1 if number else stride))
                before = after
        last = eighths(LAST * max(1.0, config.width))  # the paper leaves it as wide in thin nets
        self.features = nn.Sequential(*layers, *_convolution(before, last, 1))
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(last, sizes.classes))

    def scores(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(pictures).mean((-2, -1)))
        return scores


class _Inverted(nn.Module):
    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = before * expansion
        layers = _convolution(before, inner, 1) if expansion > 1 else []
        self.body = nn.Sequential(
            *layers, *_convolution(inner, inner, 3, stride, inner),
            nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after),
        )  # fmt: skip
        self.adds = stride == 1 and before == after

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.body(maps)
        return maps + out if self.adds else out


def eighths(channels: float) -> int:
    """The nearest multiple of EIGHT, never less than nine tenths of `channels`."""
    near = max(EIGHT, int(channels + EIGHT / 2) // EIGHT * EIGHT)
    return near if near >= 0.9 * channels else near + EIGHT


def _convolution(
    before: int, after: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(inplace=True),
    ]
