"""A single-frame network: how far one picture gets without motion."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import check_windows, standardised


@dataclass(frozen=True)
class FrameCNNConfig:
    """Sizes of a `FrameCNN`."""

    classes: int = 5
    size: int = 64  # pixels a side of the square grey frames
    width: int = 16  # channels of the first convolution, doubled twice
    dropout: float = 0.2


class FrameCNN(nn.Module):
    """Class scores of the middle frame of a window; the others are not looked at.

    Takes (N, T, 1, size, size) float grey in [0, 1]; returns logits (N, classes).
    """

    def __init__(self, config: FrameCNNConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([1, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(widths[-1], config.classes)

    def forward(self, windows: Tensor) -> Tensor:
        check_windows(windows, self.config.size)
        middle = windows.shape[1] // 2
        frame = standardised(windows[:, middle : middle + 1])[:, 0]  # (N, 1, S, S)
        return self.head(self.dropout(self.features(frame).mean((-2, -1))))
