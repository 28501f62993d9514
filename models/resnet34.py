"""A residual network of 34 layers (He et al., CVPR 2016, arXiv:1512.03385)."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from models.network import Sizes, share, whole
from models.still import Still, convolution, rectified

DEPTHS = (3, 4, 6, 3)  # blocks of each of the four stages: table 1 of the paper


@dataclass(frozen=True)
class ResNet34Config:
    """What can be chosen of a `ResNet34`; width 64 and dropout 0 are the paper's."""

    width: int = 16  # channels of the first stage, doubled thrice; 64 costs 16 times as much a step
    dropout: float = 0.2  # before the last layer: some thousand crops over-fit without

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        share("dropout", self.dropout)


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (figure 5, left; option B where sizes change)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = rectified(before, after, 3, stride)
        self.second = convolution(after, after, 3)
        alike = before == after and stride == 1
        self.shortcut = nn.Identity() if alike else convolution(before, after, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet34(Still):
    """21.8 million parameters at width 64, three channels and 1,000 classes; any size of 16 n."""

    def __init__(self, sizes: Sizes, config: ResNet34Config) -> None:
        super().__init__(sizes, config)
        widths = [config.width * 2**level for level in range(4)]
        self.stem = nn.Sequential(
            *rectified(sizes.channels, config.width, 7, 2), nn.MaxPool2d(3, 2, padding=1)
        )
        blocks: list[nn.Module] = []
        for level, (before, after) in enumerate(pairwise([config.width, *widths])):
            blocks.append(Block(before, after, 2 if level else 1))
            blocks += [Block(after, after, 1) for _ in range(DEPTHS[level] - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(widths[-1], sizes.classes)

    def scores(self, pictures: Tensor) -> Tensor:
        features = self.blocks(self.stem(pictures)).mean((-2, -1))  # (N, 8 width)
        scores: Tensor = self.head(self.dropout(features))
        return scores
