"""A single-frame network: how far one picture gets without motion."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import standardised
from models.network import Network, Sizes, share, whole


@dataclass(frozen=True)
class FrameCNNConfig:
    """What can be chosen of a `FrameCNN`."""

    width: int = 16  # channels of the first convolution, doubled twice: the CNN-LSTM's, to compare
    dropout: float = 0.2  # before the last layer, as the ConvLSTM's

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        share("dropout", self.dropout)


class FrameCNN(Network):
    """Class scores of the middle frame of a window; the others are not looked at.

    Takes (N, T, channels, size, size) float in [0, 1]; returns logits (N, classes).
    """

    def __init__(self, sizes: Sizes, config: FrameCNNConfig) -> None:
        super().__init__(sizes, config)
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([sizes.channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(widths[-1], sizes.classes)

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        middle = windows.shape[1] // 2
        frame = standardised(windows[:, middle : middle + 1])[:, 0]  # (N, C, S, S)
        scores: Tensor = self.head(self.dropout(self.features(frame).mean((-2, -1))))
        return scores
