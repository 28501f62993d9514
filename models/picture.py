"""What networks of single pictures share: of a window they see the middle frame."""

from torch import Tensor

from models.network import Network


class PictureNetwork(Network):
    """Class scores of the middle frame of a window; the others are not looked at.

    Takes (N, T, channels, size, size) float in [0, 1]; returns logits (N, classes). A network says
    in `scores` what it makes of (N, channels, size, size) in [-1, 1].
    """

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        return self.scores(2 * windows[:, windows.shape[1] // 2] - 1)

    def scores(self, pictures: Tensor) -> Tensor:
        """(N, channels, size, size) in [-1, 1] > logits (N, classes)."""
        raise NotImplementedError
