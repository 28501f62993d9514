"""The ConvLSTM of the tutorials: what most public code on action recognition copies."""

from dataclasses import dataclass

from torch import Tensor, nn

from models.convlstm import ConvLSTM
from models.errors import ModelError
from models.network import Network, Sizes, share

FILTERS = (4, 8, 14, 16)  # of the four layers


@dataclass(frozen=True)
class TutorialConfig:
    """What can be chosen of a `TutorialConvLSTM`."""

    dropout: float = 0.2  # between the layers

    def __post_init__(self) -> None:
        share("dropout", self.dropout)


class TutorialConvLSTM(Network):
    """Class scores of a window: four ConvLSTM layers of 4, 8, 14 and 16 filters (3 x 3), each
    halved by maximum, dropout between them, and one dense layer over all that is left.

    Takes (N, T, channels, size, size) float in [0, 1], T being the window that it is built for;
    returns logits (N, classes). Two things are other than in the copied code: borders are padded
    with zeros, and recurrent states are not dropped. Light is not taken out, as it is not there.
    """

    def __init__(self, sizes: Sizes, config: TutorialConfig) -> None:
        super().__init__(sizes, config)
        channels = (sizes.channels, *FILTERS)
        self.layers = nn.ModuleList(
            ConvLSTM(before, after) for before, after in zip(channels, FILTERS, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(config.dropout)
        side = sizes.size // 2 ** len(FILTERS)
        self.head = nn.Linear(sizes.frames * FILTERS[-1] * side**2, sizes.classes)

    def forward(self, windows: Tensor) -> Tensor:
        self.check(windows)
        if windows.shape[1] != self.sizes.frames:
            raise ModelError(
                f"this network takes windows of {self.sizes.frames} frames, got {windows.shape[1]}"
            )
        states = windows
        for number, layer in enumerate(self.layers):
            pooled = self.pool(layer(states).flatten(0, 1))  # (N T, D, S, S)
            states = pooled.view(*windows.shape[:2], *pooled.shape[1:])
            if number < len(self.layers) - 1:
                states = self.dropout(states)
        scores: Tensor = self.head(states.flatten(1))  # (N, classes)
        return scores
