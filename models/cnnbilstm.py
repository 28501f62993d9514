"""A convolutional network a frame, read by an LSTM from both ends."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from models.cnnlstm import frame_features
from models.light import frame_mask, standardised
from models.network import Network, Sizes, share, whole


@dataclass(frozen=True)
class CNNBiLSTMConfig:
    """What can be chosen of a `CNNBiLSTM`."""

    width: int = 16  # channels of the first convolution, doubled twice: the CNN-LSTM's, to compare
    hidden: int = 64  # of the LSTM, each way
    dropout: float = 0.2  # before the last layer, as the ConvLSTM's

    def __post_init__(self) -> None:
        whole("width", self.width, 1)
        whole("hidden", self.hidden, 1)
        share("dropout", self.dropout)


class CNNBiLSTM(Network):
    """Class scores of a window (Graves & Schmidhuber 2005, Neural Networks 18:602-610, on frames).

    Takes (N, T, channels, size, size) float in [0, 1], any T; returns logits (N, classes).
    `lengths` (N,) says how many frames of each window count, the others being padding behind: each
    way reads those alone, so nothing in the padding has any influence.
    """

    def __init__(self, sizes: Sizes, config: CNNBiLSTMConfig) -> None:
        super().__init__(sizes, config)
        self.features = frame_features(sizes.channels, config.width)
        vector = 4 * config.width * (sizes.size // 16) ** 2
        self.lstm = nn.LSTM(vector, config.hidden, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(2 * config.hidden, sizes.classes)
        )

    def forward(self, windows: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.check(windows, lengths)
        mask = None if lengths is None else frame_mask(windows, lengths)
        frames = standardised(windows, mask).flatten(0, 1)  # (N T, C, S, S)
        vectors = self.features(frames).view(-1, windows.shape[1], self.lstm.input_size)
        if lengths is not None:
            vectors = pack_padded_sequence(
                vectors, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
        _, (last, _) = self.lstm(vectors)  # (2, N, hidden): where each way ends
        scores: Tensor = self.head(torch.cat([last[0], last[1]], 1))
        return scores
