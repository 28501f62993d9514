"""Convolutional LSTM (Shi et al., NeurIPS 2015, arXiv:1506.04214) and a classifier around it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import ModelError

# Of grey values in [0, 1]; fixed, so that nothing of any data set enters the model.
GREY_MEAN, GREY_STD = 0.45, 0.25


class ConvLSTM(nn.Module):
    """One ConvLSTM layer over (N, T, C, H, W) float; returns the hidden states (N, T, D, H, W).

    Equation 3 of the paper with zero padding and zero initial states. Gates lie in the order
    i, f, c, o along the first axis of `weight` (4 D, C + D, K, K), whose first C input channels
    meet the input and whose last D meet the hidden state; so without peepholes the layer is
    Keras' `ConvLSTM2D(padding="same", recurrent_activation="sigmoid")`, its two kernels
    concatenated. `peephole` takes the state's (H, W) and adds the paper's Hadamard terms.
    """

    def __init__(
        self, channels: int, hidden: int, kernel: int = 3, peephole: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ModelError(f"a ConvLSTM kernel is odd, so that states keep their size: {kernel}")
        self.hidden = hidden
        self.padding = kernel // 2
        self.weight = nn.Parameter(torch.empty(4 * hidden, channels + hidden, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        shape = (3, hidden, *peephole) if peephole else None  # i, f, o
        self.peephole = nn.Parameter(torch.zeros(shape)) if shape else None
        self._initialise(channels)

    def _initialise(self, channels: int) -> None:
        nn.init.xavier_uniform_(self.weight[:, :channels])
        nn.init.orthogonal_(self.weight[:, channels:])
        # Remember at first: an untrained forget gate of 1/2 would halve the past every frame.
        nn.init.ones_(self.bias[self.hidden : 2 * self.hidden])

    def forward(self, frames: Tensor) -> Tensor:
        batch, _, _, height, width = frames.shape
        hidden = cell = frames.new_zeros(batch, self.hidden, height, width)
        states = []
        for frame in frames.unbind(1):
            hidden, cell = self.step(frame, hidden, cell)
            states.append(hidden)
        return torch.stack(states, 1)

    def step(self, frame: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """One frame (N, C, H, W) on: the new hidden and cell states, both (N, D, H, W)."""
        # One convolution of both: hoisting the input's over time was measured slower.
        gates = functional.conv2d(
            torch.cat([frame, hidden], 1), self.weight, self.bias, padding=self.padding
        )
        i, f, c, o = gates.chunk(4, dim=1)
        if self.peephole is not None:
            i, f = i + self.peephole[0] * cell, f + self.peephole[1] * cell
        cell = f.sigmoid() * cell + i.sigmoid() * c.tanh()
        if self.peephole is not None:
            o = o + self.peephole[2] * cell
        return o.sigmoid() * cell.tanh(), cell


@dataclass(frozen=True)
class ConvLSTMConfig:
    """Sizes of a `ConvLSTMClassifier`."""

    classes: int = 5  # the five face displays
    size: int = 64  # pixels a side of the square grey frames
    stem: int = 16  # channels after the first convolution; the recurrence does the work
    hidden: int = 32  # channels of the recurrent state
    kernel: int = 3  # with eight steps the state sees the whole face
    peephole: bool = False  # Keras has none to compare with
    dropout: float = 0.2  # before the last layer


class ConvLSTMClassifier(nn.Module):
    """Class scores of a window: strided stem, ConvLSTM on a quarter of the size, strided head.

    Takes (N, T, 1, size, size) float grey in [0, 1], any T >= 1; returns logits (N, classes).
    The head reads the last state and the mean one, and keeps a coarse grid of places: averaged
    over the picture, parted lips (a few pixels) were lost among everything else that moves.
    """

    def __init__(self, config: ConvLSTMConfig) -> None:
        super().__init__()
        if config.size % 16:
            raise ModelError(f"the frame size must be a multiple of 16, got {config.size}")
        self.config = config
        side, both = config.size // 4, 2 * config.hidden
        self.stem = nn.Sequential(
            nn.Conv2d(1, config.stem, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(config.stem, config.hidden, 3, stride=2, padding=1),
            nn.GroupNorm(4, config.hidden),
            nn.ReLU(),
        )
        self.recurrence = ConvLSTM(
            config.hidden, config.hidden, config.kernel, (side, side) if config.peephole else None
        )
        self.head = nn.Sequential(
            nn.Conv2d(both, both, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(both, both, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear(both * (side // 4) ** 2, config.classes),
        )

    def forward(self, windows: Tensor) -> Tensor:
        size = self.config.size
        if windows.ndim != 5 or windows.shape[2:] != (1, size, size):
            raise ModelError(
                f"windows are (N, T, 1, {size}, {size}) grey in [0, 1], got {tuple(windows.shape)}"
            )
        frames = (windows.flatten(0, 1) - GREY_MEAN) / GREY_STD  # (N T, 1, S, S)
        features = self.stem(frames).unflatten(0, windows.shape[:2])  # (N, T, D, S/4, S/4)
        states = self.recurrence(features)
        return self.head(torch.cat([states[:, -1], states.mean(1)], 1))  # (N, classes)
