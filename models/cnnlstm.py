"""A convolutional network a frame and an LSTM over their vectors: time without place."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import standardised
from models.network import Network, Sizes, share, whole


@dataclass(frozen=True)
class CNNLSTMConfig:
    """What can be chosen of a `CNNLSTM`."""

    width: int = 16  # channels of the first convolution, doubled twice: as the ConvLSTM's stem
    hidden: int = 64  # of the LSTM; 128 doubles the weights
    dropout: float = 0.2  # before the last layer, as the ConvLSTM's

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        whole("hidden", self.hidden, 1)
        share("dropout", self.dropout)


class CNNLSTM(Network):
    """Class scores of a window (Donahue et al. 2015, arXiv:1411.4389, small).

    Takes (N, T, channels, size, size) float in [0, 1], any T; returns logits (N, classes).
    """

    def __init__(self, sizes: Sizes, config: CNNLSTMConfig) -> None:
        super().__init__(sizes, config)
        self.features = frame_features(sizes.channels, config.width)
        vector = 4 * config.width * (sizes.size // 16) ** 2
        self.lstm = nn.LSTM(vector, config.hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.hidden, sizes.classes)
        )

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        frames = standardised(windows).flatten(0, 1)  # (N T, C, S, S)
        vectors = self.features(frames).view(-1, windows.shape[1], self.lstm.input_size)
        states, _ = self.lstm(vectors)  # (N, T, hidden)
        scores: Tensor = self.head(states[:, -1])
        return scores


def frame_features(channels: int, width: int) -> nn.Sequential:
    """(N, channels, S, S) > (N, 4 width (S / 16)^2): what both LSTMs read of a frame."""
    widths = [width * 2**level for level in range(3)]
    layers: list[nn.Module] = []
    for before, after in zip([channels, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
