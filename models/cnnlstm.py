"""A convolutional network a frame and an LSTM over their vectors: time without place."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import check_windows, standardised


@dataclass(frozen=True)
class CNNLSTMConfig:
    """Sizes of a `CNNLSTM`."""

    classes: int = 5
    size: int = 64  # pixels a side of the square grey frames
    width: int = 16  # channels of the first convolution, doubled twice
    hidden: int = 64  # of the LSTM
    dropout: float = 0.2


class CNNLSTM(nn.Module):
    """Class scores of a window (Donahue et al. 2015, arXiv:1411.4389, small).

    Takes (N, T, 1, size, size) float grey in [0, 1]; returns logits (N, classes).
    """

    def __init__(self, config: CNNLSTMConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([1, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        places = (config.size // 16) ** 2
        self.features = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
        self.lstm = nn.LSTM(widths[-1] * places, config.hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.hidden, config.classes)
        )

    def forward(self, windows: Tensor) -> Tensor:
        check_windows(windows, self.config.size)
        frames = standardised(windows).flatten(0, 1)  # (N T, 1, S, S)
        vectors = self.features(frames).view(-1, windows.shape[1], self.lstm.input_size)
        states, _ = self.lstm(vectors)  # (N, T, hidden)
        return self.head(states[:, -1])
