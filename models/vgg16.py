"""Sixteen layers of weights (Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556, configuration D)."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.network import Sizes, share, whole
from models.still import Still, rectified

STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # times the width, convolutions: table 1
PLACES = 7  # a side of the grid that the paper's dense layers read, of 224 px


@dataclass(frozen=True)
class VGG16Config:
    """What can be chosen of a `VGG16`; width 64, dense 4096 and dropout 0.5 are the paper's."""

    width: int = 16  # channels of the first stage; 64 costs 16 times as much a step
    dense: int = 256  # units of the two hidden layers; 4096 are nine tenths of all weights
    dropout: float = 0.5  # after each of them

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        whole("dense", self.dense, 1)
        share("dropout", self.dropout)


class VGG16(Still):
    """138 million parameters at width 64, dense 4096, 224 px, three channels and 1,000 classes.

    Convolutions are normalised (Ioffe & Szegedy 2015, arXiv:1502.03167), which the paper had not:
    it started the deep network from a trained shallow one, as without either it does not learn.
    Smaller pictures end in a smaller grid, larger ones are averaged down to the paper's.
    """

    def __init__(self, sizes: Sizes, config: VGG16Config) -> None:
        super().__init__(sizes, config)
        layers: list[nn.Module] = []
        before = sizes.channels
        for times, count in STAGES:
            for _ in range(count):
                layers.append(rectified(before, times * config.width, 3))
                before = times * config.width
            layers.append(nn.MaxPool2d(2, ceil_mode=True))  # a last row counts at sizes below 32 n
        side = min(PLACES, -(-sizes.size // 2 ** len(STAGES)))
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(side), nn.Flatten())
        hidden: list[nn.Module] = []
        for units in (before * side**2, config.dense):
            hidden += [nn.Linear(units, config.dense), nn.ReLU(), nn.Dropout(config.dropout)]
        self.head = nn.Sequential(*hidden, nn.Linear(config.dense, sizes.classes))

    def scores(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(pictures))
        return scores
