"""A light network of convolutions and dense layers, as the FER toolkit describes its own.

Munsif et al., AIAI 2022, doi 10.1007/978-3-031-08341-9_33; layers and widths are not published, so
these are our choices.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from models.network import Sizes, share, whole
from models.picture import PictureNetwork


@dataclass(frozen=True)
class LightCNNConfig:
    """What can be chosen of a `LightCNN`."""

    width: int = 16  # channels of the first convolution, doubled twice
    hidden: int = 64  # of the dense layer: 0.2 M weights at 48 px, light enough for a phone
    dropout: float = 0.3  # after the dense layer: a person's features are many, people are few

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        whole("hidden", self.hidden, 1)
        share("dropout", self.dropout)


class LightCNN(PictureNetwork):
    """Three convolutions with pooling, then a dense layer that knows where on the face it looks."""

    def __init__(self, sizes: Sizes, config: LightCNNConfig) -> None:
        super().__init__(sizes, config)
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([sizes.channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        places = (sizes.size // 8) ** 2
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(widths[-1] * places, config.hidden), nn.ReLU(),
            nn.Dropout(config.dropout), nn.Linear(config.hidden, sizes.classes),
        )  # fmt: skip

    def scores(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(pictures))
        return scores
