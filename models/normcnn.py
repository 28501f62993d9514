"""Convolutions with batch normalisation, ReLU and pooling, as the synkinesis paper describes its.

Sci Rep, 9 Jul 2025 (University Hospital Regensburg); widths and depth are not published, so these
are our choices.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from models.network import Sizes, share, whole
from models.picture import PictureNetwork


@dataclass(frozen=True)
class NormCNNConfig:
    """What can be chosen of a `NormCNN`."""

    width: int = 16  # channels of the first block, doubled in each of the three that follow
    dropout: float = 0.3  # before the last layer: 285 pictures over-fit without

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        share("dropout", self.dropout)


class NormCNN(PictureNetwork):
    """Four blocks of convolution, batch normalisation, ReLU and pooling; then a layer over places.

    Which side of a face moves is what it is asked, so places are kept to the end.
    """

    def __init__(self, sizes: Sizes, config: NormCNNConfig) -> None:
        super().__init__(sizes, config)
        widths = [config.width * 2**level for level in range(4)]
        layers: list[nn.Module] = []
        for before, after in zip([sizes.channels, *widths], widths, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2),
            ]  # fmt: skip
        places = (sizes.size // 16) ** 2
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(config.dropout))
        self.head = nn.Linear(widths[-1] * places, sizes.classes)

    def scores(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(pictures))
        return scores
