"""Light and skin taken out of a window before a network sees it.

Each window is its own measure: no statistic of any data set, least of all of a test side, enters.
"""

import torch
from torch import Tensor

LEAST = 0.02  # of the grey range: a flat picture stays flat, its noise is not blown up


def frame_mask(windows: Tensor, lengths: Tensor) -> Tensor:
    """(N, T, 1, 1, 1) float: 1 for the first `lengths` (N,) frames of each window, else 0."""
    steps = torch.arange(windows.shape[1], device=windows.device)
    return (steps < lengths[:, None]).to(windows.dtype)[..., None, None, None]


def standardised(windows: Tensor, mask: Tensor | None = None) -> Tensor:
    """(N, T, C, S, S) > the same with mean 0 and variance 1 over each window's own pixels.

    Dark and light skin, dim and bright rooms come out alike; frames outside `mask` do not count.
    """
    if mask is None:
        mask = torch.ones_like(windows[:, :, :, :1, :1])
    share = mask / mask.sum(1, keepdim=True) / windows[0, 0].numel()
    mean = (windows * share).sum((1, 2, 3, 4), keepdim=True)
    centred = windows - mean
    variance = (centred.square() * share).sum((1, 2, 3, 4), keepdim=True)
    return centred * (variance + LEAST**2).rsqrt() * mask
