"""Training losses that rendered truth allows.

The weights of the paper's perceptual loss (VGG) are not shipped; a Gaussian pyramid of plain and
gradient differences stands in.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from fomm.dense_motion import Motion
from fomm.exact import ExactFlow
from fomm.geometry import full_precision
from fomm.layers import antialias_down, antialias_kernel

PYRAMID = (1, 2, 4, 8)  # how many times each level is smaller


def pyramid(image: Tensor) -> list[Tensor]:
    """(N, C, H, W) and its anti-aliased halves, quarters and eighths."""
    channels = image.shape[1]
    levels = [image]
    for factor in PYRAMID[1:]:
        kernel = antialias_kernel(factor, channels).to(image.device)
        levels.append(antialias_down(image, kernel, factor))
    return levels


def pyramid_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference summed over the levels of the two pyramids."""
    pairs = zip(pyramid(prediction), pyramid(truth), strict=True)
    return torch.stack([F.l1_loss(a, b) for a, b in pairs]).sum()


def gradient_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of the horizontal and vertical finite differences: sharp edges."""
    error = prediction - truth
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def weighted_loss(prediction: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference under a (N, 1, H, W) weight of eyes and mouth, not negative."""
    return ((prediction - truth).abs() * weight).sum() / (3 * weight.sum()).clamp_min(1.0)


def painted_losses(
    painted: Tensor, deformed: Tensor, truth: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """How wrong the colours of `painted` (N, 4, H, W) are, and how doubtful their share.

    Colours must fit the truth by themselves, and their share be high where they fit it better than
    the warped source `deformed` (N, 3, H, W); `weight` (N, 1, H, W) as in `weighted_loss`. The
    blend alone teaches neither: colours blur at first, their share falls to nothing, and what has
    no share learns no more.
    """
    colours, share, weight = painted[:, :3].float(), painted[:, 3:].float(), 0.1 + weight
    wrong, flat = ((x.detach() - truth).abs().mean(1, True) for x in (colours, deformed))
    with full_precision(share):
        doubt = F.binary_cross_entropy(share, (wrong < flat).float(), weight=weight)
    return weighted_loss(colours, truth, weight), doubt / weight.mean()


def exact_losses(motion: Motion, truth: ExactFlow, face: Tensor) -> tuple[Tensor, Tensor]:
    """How far the flow is off where the source shows the point, and how wrong the occlusion is.

    `face` (N, 1, h, w), not negative, weighs eyes and mouth: they are few cells. The backdrop
    weighs a quarter of a person, since most of it needs no flow to be taught.
    """
    off = (motion.deformation - truth.where).abs().sum(-1).unsqueeze(1)
    weight = truth.visible * (0.25 + 0.75 * truth.person * (1 + face))
    with full_precision(off):
        found = motion.occlusion_map.float().clamp(1e-4, 1 - 1e-4)
        hidden = F.binary_cross_entropy(found, truth.visible, weight=truth.known)
    return (off * weight).sum() / weight.sum().clamp_min(1.0), hidden


def point_loss(found: Tensor, truth: Tensor, seen: Tensor) -> Tensor:
    """Mean absolute distance of (N, K, 2) points where `seen` (N, K) is 1."""
    return ((found - truth).abs().sum(-1) * seen).sum() / seen.sum().clamp_min(1.0)
