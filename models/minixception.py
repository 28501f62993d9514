"""mini-Xception, as published for emotions in real time (Arriaga et al. 2017, arXiv:1710.07557)."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from models.errors import ModelError
from models.network import Sizes
from models.picture import PictureNetwork

STEM = 8  # channels of the two first convolutions
WIDTHS = (16, 32, 64, 128)  # of the four residual modules


@dataclass(frozen=True)
class MiniXceptionConfig:
    """What can be chosen of a `MiniXception`; the layers are the paper's."""

    l2: float = 0.01  # the paper's penalty on the weights of the two first convolutions

    def __post_init__(self) -> None:
        if isinstance(self.l2, bool) or not isinstance(self.l2, int | float) or self.l2 < 0:
            raise ModelError(f"'l2' must be a number from 0 on, got {self.l2!r}")


class MiniXception(PictureNetwork):
    """Residual modules of separable convolutions, then a convolution to classes and their mean.

    With one channel it has 54,964 numbers at 4 classes and 58,423 at 7, as Keras counts them:
    weights and the means and variances of batch normalisation. It takes any size from 16 px on.
    """

    def __init__(self, sizes: Sizes, config: MiniXceptionConfig) -> None:
        super().__init__(sizes, config)
        stem = [
            nn.Conv2d(sizes.channels, STEM, 3, bias=False),
            nn.Conv2d(STEM, STEM, 3, bias=False),
        ]
        layers: list[nn.Module] = []
        for convolution in stem:
            _penalise(convolution.weight, config.l2)
            layers += [convolution, nn.BatchNorm2d(STEM), nn.ReLU()]
        self.stem = nn.Sequential(*layers)
        pairs = zip((STEM, *WIDTHS), WIDTHS, strict=False)
        self.residuals = nn.Sequential(*(_Residual(before, after) for before, after in pairs))
        self.classify = nn.Conv2d(WIDTHS[-1], sizes.classes, 3, padding=1)

    def scores(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.classify(self.residuals(self.stem(pictures)))
        return maps.mean((-2, -1))


class _Residual(nn.Module):
    """Two separable convolutions and a pooling beside a strided 1 x 1 convolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(
            nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after)
        )
        self.body = nn.Sequential(
            *_separable(before, after), nn.ReLU(inplace=True), *_separable(after, after)
        )

    def forward(self, maps: Tensor) -> Tensor:
        # Keras' "same": an even side is padded behind alone, an odd one on both sides.
        pooled = functional.max_pool2d(
            self.body(maps), 3, stride=2, padding=maps.shape[-1] % 2, ceil_mode=True
        )
        total: Tensor = pooled + self.shortcut(maps)
        return total


def _separable(before: int, after: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False),
        nn.Conv2d(before, after, 1, bias=False),
        nn.BatchNorm2d(after),
    ]


def _penalise(weight: Tensor, l2: float) -> None:
    # The slope of l2 * sum(weight ** 2), so that every training loop has the paper's penalty.
    if l2:
        weight.register_hook(lambda slope: slope + 2 * l2 * weight.detach())
