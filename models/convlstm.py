"""Convolutional LSTM (Shi et al., NeurIPS 2015, arXiv:1506.04214) and a classifier around it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.cell import cell_step
from models.errors import ModelError
from models.light import frame_mask, standardised
from models.network import Network, Sizes, flag, share, whole


class ConvLSTM(nn.Module):
    """One ConvLSTM layer over (N, T, C, H, W) float; returns the hidden states (N, T, D, H, W).

    Equation 3 of the paper with zero padding and zero initial states. Gates lie in the order
    i, f, c, o along the first axis of `weight` (4 D, C + D, K, K), whose first C input channels
    meet the input and whose last D meet the hidden state; so without peepholes the layer is
    Keras' `ConvLSTM2D(padding="same", recurrent_activation="sigmoid")`, its two kernels
    concatenated. `peephole` takes the state's (H, W) and adds the paper's Hadamard terms;
    `layer_norm` normalises each gate over the state (Ba et al. 2016, arXiv:1607.06450).
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        kernel: int = 3,
        peephole: tuple[int, int] | None = None,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        check_kernel(kernel)
        self.hidden = hidden
        self.padding = kernel // 2
        self.weight = nn.Parameter(torch.empty(4 * hidden, channels + hidden, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        shape = (3, hidden, *peephole) if peephole else None  # i, f, o
        self.peephole = nn.Parameter(torch.zeros(shape)) if shape else None
        self.gain = nn.Parameter(torch.ones(4 * hidden)) if layer_norm else None
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
        gates = self._gates(torch.cat([frame, hidden], 1))
        if self.peephole is None:
            return cell_step(gates, cell)
        i, f, c, o = gates.chunk(4, dim=1)
        i, f = i + self.peephole[0] * cell, f + self.peephole[1] * cell
        cell = f.sigmoid() * cell + i.sigmoid() * c.tanh()
        return (o + self.peephole[2] * cell).sigmoid() * cell.tanh(), cell

    def _gates(self, both: Tensor) -> Tensor:
        # One convolution of input and state: hoisting the input's over time was measured slower.
        if self.gain is None:
            return functional.conv2d(both, self.weight, self.bias, padding=self.padding)
        gates = functional.conv2d(both, self.weight, padding=self.padding)
        return functional.group_norm(gates, 4, self.gain, self.bias)


def check_kernel(kernel: int) -> None:
    """ModelError unless the side of a ConvLSTM's kernel is odd."""
    if kernel % 2 == 0:
        raise ModelError(f"a ConvLSTM kernel is odd, so that states keep their size: {kernel}")


@dataclass(frozen=True)
class ConvLSTMConfig:
    """What can be chosen of a `ConvLSTMClassifier`."""

    stem: int = 16  # channels after the second convolution, half after the first; 32: 1.6 x a step
    hidden: int = 24  # channels of features and recurrent state; 16 left errors on known clips
    kernel: int = 3  # on an eighth of the size eight steps see the whole face
    peephole: bool = False  # Keras has none to compare with
    layer_norm: bool = False  # the window is standardised already
    dropout: float = 0.2  # before the last layer: 150 training clips over-fit without

    def __post_init__(self) -> None:
        whole("stem", self.stem, 4, step=4)  # four groups of the normalisation
        whole("hidden", self.hidden, 4, step=4)
        whole("kernel", self.kernel, 1)
        flag("peephole", self.peephole)
        flag("layer_norm", self.layer_norm)
        share("dropout", self.dropout)
        check_kernel(self.kernel)


class ConvLSTMClassifier(Network):
    """Class scores of a window: pooling stem, ConvLSTM on an eighth of the size, strided head.

    Takes (N, T, channels, size, size) float in [0, 1], any T >= 1; returns logits (N, classes).
    `lengths` (N,) says how many frames of each window count, the others being padding behind.
    The head reads the last state and the mean one, and keeps a coarse grid of places: averaged
    over the picture, parted lips (a few pixels) were lost among everything else that moves.
    """

    def __init__(self, sizes: Sizes, config: ConvLSTMConfig) -> None:
        super().__init__(sizes, config)
        side, both = sizes.size // 8, 2 * config.hidden
        self.stem = nn.Sequential(
            # Small steps down: a mouth a few pixels off must look the same to the layers above.
            # Pixels folded into channels (4 x 4) were twice as fast and erred more on new people.
            nn.Conv2d(sizes.channels, config.stem // 2, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(config.stem // 2, config.stem, 3, padding=1),
            nn.MaxPool2d(2),
            nn.GroupNorm(4, config.stem),
            nn.ReLU(),
            nn.Conv2d(config.stem, config.hidden, 3, padding=1),
            nn.MaxPool2d(2),
            nn.GroupNorm(4, config.hidden),
            nn.ReLU(),
        )
        self.recurrence = ConvLSTM(
            config.hidden, config.hidden, config.kernel,
            (side, side) if config.peephole else None, config.layer_norm,
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Conv2d(both, both, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear(both * (side // 2) ** 2, sizes.classes),
        )

    def forward(self, windows: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.check(windows, lengths)
        mask = None if lengths is None else frame_mask(windows, lengths)
        frames = standardised(windows, mask).flatten(0, 1)  # (N T, C, S, S)
        frames = frames.contiguous(memory_format=torch.channels_last)  # a quarter faster here
        features = self.stem(frames)  # (N T, D, S/8, S/8)
        features = features.view(-1, windows.shape[1], *features.shape[1:])
        states = self.recurrence(features)
        if mask is None or lengths is None:
            last, mean = states[:, -1], states.mean(1)
        else:
            last = states[torch.arange(len(states)), lengths - 1]
            mean = (states * mask).sum(1) / mask.sum(1)
        scores: Tensor = self.head(torch.cat([last, mean], 1))  # (N, classes)
        return scores
