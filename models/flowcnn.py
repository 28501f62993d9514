"""Convolutions over the optical flow from the first picture of a window to its middle one.

What moves is given to the network, so a few hundred pictures are enough to learn where it means
something. From the pictures themselves a network of their size learned nothing of one side of a
face that moves with the other (studies/synkinesis).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.flow import optical_flow, own_motion
from models.network import Network, Sizes, share, whole

FARTHEST = 1 / 16  # of the side: a face moves no farther between two pictures
GRID = 4  # pixels a side that share one place of the field


@dataclass(frozen=True)
class FlowCNNConfig:
    """What can be chosen of a `FlowCNN`."""

    width: int = 16  # channels of the first block, doubled in the second
    dropout: float = 0.3  # before the last layer, as `NormCNN`

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        share("dropout", self.dropout)


class FlowCNN(Network):
    """Class scores of a motion field and its mirror image, side by side; places are kept.

    Takes (N, T, channels, size, size) float in [0, 1], T at least 2, whose first frame shows the
    face at rest; returns logits (N, classes).
    """

    def __init__(self, sizes: Sizes, config: FlowCNNConfig) -> None:
        super().__init__(sizes, config)
        whole("frames", sizes.frames, 2)
        layers: list[nn.Module] = []
        for before, after in ((4, config.width), (config.width, 2 * config.width)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        places = (sizes.size // (4 * GRID)) ** 2
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(config.dropout))
        self.head = nn.Linear(2 * config.width * places, sizes.classes)

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        grey = windows.mean(2, keepdim=True)
        field = motion_field(grey[:, 0], grey[:, self.sizes.frames // 2], self.sizes.size)
        scores: Tensor = self.head(self.features(torch.cat([field, mirrored(field)], 1)))
        return scores


def motion_field(first: Tensor, second: Tensor, size: int) -> Tensor:
    """(N, 2, S / 4, S / 4): how far a face moves in itself, 1 for a hundredth of the side.

    Takes grey pictures (N, 1, S, S) in [0, 1]. Nothing of it is learned.
    """
    flow = own_motion(optical_flow(first, second, size), size)
    farthest = FARTHEST * size
    return functional.avg_pool2d(flow.clamp(-farthest, farthest), GRID) * (100 / size)


def mirrored(field: Tensor) -> Tensor:
    """The motion field of the mirrored face: places swap sides, and so does motion across."""
    return field.flip(-1) * field.new_tensor([-1.0, 1.0])[:, None, None]
