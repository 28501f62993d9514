"""A convolutional network over space and time at once."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import standardised
from models.network import Network, Sizes, share, whole


@dataclass(frozen=True)
class CNN3DConfig:
    """What can be chosen of a `CNN3D`."""

    width: int = (
        12  # channels of the first convolution, doubled twice: a step as long as the CNN-LSTM's
    )
    dropout: float = 0.2  # before the last layer, as the ConvLSTM's

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        share("dropout", self.dropout)


class CNN3D(Network):
    """Class scores of a window (Tran et al. 2015, arXiv:1412.0767, small).

    Takes (N, T, channels, size, size) float in [0, 1], any T; returns logits (N, classes). Time is
    averaged at the end, places are kept on a grid of 4 x 4 for 64 px.
    """

    def __init__(self, sizes: Sizes, config: CNN3DConfig) -> None:
        super().__init__(sizes, config)
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([sizes.channels, *widths], widths, strict=False):
            layers += [nn.Conv3d(before, after, 3, stride=(1, 2, 2), padding=1), nn.ReLU()]
        places = (sizes.size // 16) ** 2
        self.features = nn.Sequential(*layers, nn.AvgPool3d((1, 2, 2)))
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(widths[-1] * places, sizes.classes)
        )

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        volume = standardised(windows).transpose(1, 2)  # (N, C, T, S, S)
        scores: Tensor = self.head(self.features(volume).mean(2).flatten(1))
        return scores
