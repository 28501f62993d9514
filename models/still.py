"""Networks that look at one picture: what they share, so that each file is its paper alone."""

from abc import abstractmethod

from torch import Tensor, nn

from models.errors import ModelError
from models.light import standardised
from models.network import Network

DEEPEST = 32  # pixels that end in a single place after five halvings


class Still(Network):
    """Class scores of the middle frame of a window; the others are not looked at.

    Takes (N, T, channels, size, size) float in [0, 1]; returns logits (N, classes). A window of one
    frame is a picture.
    """

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        if self.training and len(windows) == 1 and self.sizes.size <= DEEPEST:
            raise ModelError(
                f"one picture of {self.sizes.size} px alone cannot be normalised in training; "
                f"take crops above {DEEPEST} px or another batch size"
            )
        middle = windows.shape[1] // 2
        return self.scores(standardised(windows[:, middle : middle + 1])[:, 0])

    @abstractmethod
    def scores(self, pictures: Tensor) -> Tensor:
        """Logits (N, classes) of pictures (N, C, S, S) of mean 0 and variance 1."""


def convolution(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, normalised, without bias."""
    conv = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    # He et al. 2015, arXiv:1502.01852: variances stay level through dozens of rectified layers.
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(after))


def rectified(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """`convolution` and its rectifier."""
    return nn.Sequential(*convolution(before, after, kernel, stride), nn.ReLU())
