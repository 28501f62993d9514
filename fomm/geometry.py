"""Coordinate grids, Gaussians and sampling; coordinates are (x, y) in [-1, 1], y down."""

import torch
from torch import Tensor
from torch.nn import functional as F


def full_precision(like: Tensor) -> torch.autocast:
    """A context in which bf16 autocast is off: coordinates need every bit of float32."""
    return torch.autocast(like.device.type, enabled=False)


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """The (H, W, 2) coordinates of pixel centres, corners at exactly -1 and 1."""
    y = 2 * torch.arange(height, device=like.device, dtype=torch.float32) / (height - 1) - 1
    x = 2 * torch.arange(width, device=like.device, dtype=torch.float32) / (width - 1) - 1
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def gaussians(points: Tensor, height: int, width: int, variance: float = 0.01) -> Tensor:
    """exp(-|z - p|^2 / (2 variance)) of (N, K, 2) points: (N, K, H, W) in [0, 1]."""
    offset = grid(height, width, points) - points[:, :, None, None]
    return torch.exp(-0.5 * offset.square().sum(-1) / variance)


def inverse(matrix: Tensor) -> Tensor:
    """Inverses of (..., 2, 2) matrices by the adjugate, one formula on every device."""
    a, b, c, d = (matrix[..., i, j] for i in (0, 1) for j in (0, 1))
    adjugate = torch.stack([d, -b, -c, a], dim=-1).unflatten(-1, (2, 2))
    return adjugate / (a * d - b * c)[..., None, None]


def sample(image: Tensor, where: Tensor, align_corners: bool) -> Tensor:
    """`image` (N, C, H, W) read at `where` (N, h, w, 2): (N, C, h, w), zeros outside.

    Always in float32: torch's CPU kernel returns garbage for bf16 in channels-last memory.
    """
    with full_precision(image):
        return F.grid_sample(
            image.float(), where.float(), padding_mode="zeros", align_corners=align_corners
        )


def resize(field: Tensor, height: int, width: int) -> Tensor:
    """(N, C, h, w) bilinearly to (N, C, H, W), or as it is when it fits."""
    if field.shape[-2:] == (height, width):
        return field
    return F.interpolate(field, size=(height, width), mode="bilinear", align_corners=False)
