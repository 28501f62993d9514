"""A convolutional network over space and time at once."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.light import check_windows, standardised


@dataclass(frozen=True)
class CNN3DConfig:
    """Sizes of a `CNN3D`."""

    classes: int = 5
    size: int = 64  # pixels a side of the square grey frames
    width: int = 12  # channels of the first convolution, doubled twice
    dropout: float = 0.2


class CNN3D(nn.Module):
    """Class scores of a window (Tran et al. 2015, arXiv:1412.0767, small).

    Takes (N, T, 1, size, size) float grey in [0, 1], any T; returns logits (N, classes). Time is
    averaged at the end, places are kept on a grid of 4 x 4.
    """

    def __init__(self, config: CNN3DConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(3)]
        layers: list[nn.Module] = []
        for before, after in zip([1, *widths], widths, strict=False):
            layers += [nn.Conv3d(before, after, 3, stride=(1, 2, 2), padding=1), nn.ReLU()]
        places = (config.size // 16) ** 2
        self.features = nn.Sequential(*layers, nn.AvgPool3d((1, 2, 2)))
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(widths[-1] * places, config.classes)
        )

    def forward(self, windows: Tensor) -> Tensor:
        check_windows(windows, self.config.size)
        volume = standardised(windows).transpose(1, 2)  # (N, 1, T, S, S)
        return self.head(self.features(volume).mean(2).flatten(1))
