"""Random smooth warps for the equivariance loss: an affine map plus a thin-plate spline."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fomm.geometry import grid

CONTROL = 5  # control points a side of the thin-plate spline


@dataclass(frozen=True)
class Warp:
    """`affine` (N, 2, 3) and the spline's `control` weights (N, 1, 25); coordinates in [-1, 1]."""

    affine: Tensor
    control: Tensor

    def points(self, where: Tensor) -> Tensor:
        """(N, P, 2) coordinates after the warp (Siarohin et al. 2019, supplementary)."""
        turn, shift = self.affine[:, :, :2], self.affine[:, :, 2]
        moved = where @ turn.transpose(1, 2) + shift[:, None]
        knots = grid(CONTROL, CONTROL, where).reshape(1, 1, -1, 2)
        distance = (where.unsqueeze(2) - knots).abs().sum(-1)  # (N, P, 25)
        bend = distance.square() * torch.log(distance + 1e-6) * self.control
        return moved + bend.sum(-1, keepdim=True)

    def frames(self, image: Tensor, align_corners: bool = True) -> Tensor:
        """(N, C, H, W) read through the warp; what falls outside is mirrored."""
        height, width = image.shape[-2:]
        where = grid(height, width, image).reshape(1, -1, 2).expand(len(image), -1, -1)
        flow = self.points(where).unflatten(1, (height, width))
        return F.grid_sample(image, flow, padding_mode="reflection", align_corners=align_corners)

    def jacobian(self, where: Tensor) -> Tensor:
        """Derivatives (N, P, 2, 2) of the warp at (N, P, 2) coordinates."""
        with torch.enable_grad():
            where = where if where.requires_grad else where.detach().requires_grad_()
            moved = self.points(where)
            rows = [
                torch.autograd.grad(moved[..., i].sum(), where, create_graph=True)[0]
                for i in (0, 1)
            ]
        return torch.stack(rows, dim=-2)


def random_warp(
    count: int, rng: np.random.Generator, affine: float = 0.05, spline: float = 0.005
) -> Warp:
    """`count` warps whose parameters differ from identity by these standard deviations."""
    identity = np.eye(2, 3)
    return Warp(
        torch.tensor(identity + affine * rng.standard_normal((count, 2, 3)), dtype=torch.float32),
        torch.tensor(spline * rng.standard_normal((count, 1, CONTROL**2)), dtype=torch.float32),
    )
