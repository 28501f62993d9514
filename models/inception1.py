"""Inception of the first version, GoogLeNet (Szegedy et al., CVPR 2015, arXiv:1409.4842)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.network import Sizes, share, whole
from models.still import Still, rectified

FULL = 64  # channels of the first convolution in the paper; its other numbers go with it


class Counts(NamedTuple):
    """Channels of a module's paths: a row of table 1 of the paper."""

    one: int  # 1 x 1
    three_before: int  # 1 x 1 before the 3 x 3
    three: int
    five_before: int
    five: int
    pooled: int  # 1 x 1 after the pooling


STAGES = (
    (Counts(64, 96, 128, 16, 32, 32), Counts(128, 128, 192, 32, 96, 64)),
    (
        Counts(192, 96, 208, 16, 48, 64), Counts(160, 112, 224, 24, 64, 64),
        Counts(128, 128, 256, 24, 64, 64), Counts(112, 144, 288, 32, 64, 64),
        Counts(256, 160, 320, 32, 128, 128),
    ),
    (Counts(256, 160, 320, 32, 128, 128), Counts(384, 192, 384, 48, 128, 128)),
)  # fmt: skip


@dataclass(frozen=True)
class InceptionV1Config:
    """What can be chosen of an `InceptionV1`; width 64 and dropout 0.4 are the paper's."""

    width: int = 16  # of the first convolution, the others in proportion; 64: 16 times as much work
    dropout: float = 0.4  # before the last layer

    def __post_init__(self) -> None:
        whole("width", self.width, 8, step=8)  # every count of the paper stays whole
        share("dropout", self.dropout)


class Module(nn.Module):
    """Four paths beside each other, their channels joined (figure 2b)."""

    def __init__(self, before: int, counts: Counts) -> None:
        super().__init__()
        self.one = rectified(before, counts.one, 1)
        self.three = nn.Sequential(
            rectified(before, counts.three_before, 1),
            rectified(counts.three_before, counts.three, 3),
        )
        self.five = nn.Sequential(
            rectified(before, counts.five_before, 1), rectified(counts.five_before, counts.five, 5)
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1), rectified(before, counts.pooled, 1)
        )
        self.channels = counts.one + counts.three + counts.five + counts.pooled

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(x)], 1)


class InceptionV1(Still):
    """7.0 million parameters at width 64, three channels and 1,000 classes; any size of 16 n.

    Without the paper's two side classifiers, which only training looked at; convolutions are
    normalised in their place (Ioffe & Szegedy 2015, arXiv:1502.03167, did so to this network).
    """

    def __init__(self, sizes: Sizes, config: InceptionV1Config) -> None:
        super().__init__(sizes, config)
        width = config.width
        layers: list[nn.Module] = [
            rectified(sizes.channels, width, 7, 2), _halved(),
            rectified(width, width, 1), rectified(width, 3 * width, 3), _halved(),
        ]  # fmt: skip
        before = 3 * width
        for number, stage in enumerate(STAGES):
            layers += [_halved()] if number else []
            for counts in stage:
                module = Module(before, Counts(*(count * width // FULL for count in counts)))
                layers.append(module)
                before = module.channels
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(before, sizes.classes)

    def scores(self, pictures: Tensor) -> Tensor:
        features = self.features(pictures).mean((-2, -1))  # (N, 16 width)
        scores: Tensor = self.head(self.dropout(features))
        return scores


def _halved() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, padding=1)  # 112 > 56 as in the paper, and no size below 1
