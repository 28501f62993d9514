"""From sparse key-point motion to a dense flow and an occlusion map."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fomm.config import MotionConfig
from fomm.geometry import full_precision, gaussians, grid, inverse, sample
from fomm.keypoints import KeyPoints
from fomm.layers import Hourglass, MotionInput


@dataclass(frozen=True)
class Motion:
    """Where each pixel of the prediction comes from in the source.

    `deformation` (N, h, w, 2) in [-1, 1]; `occlusion_map` (N, 1, h, w) in [0, 1], 0 is hidden;
    `mask` (N, K+1, h, w) sums to 1 over key points and background; `sparse_motion`
    (N, K+1, h, w, 2), the background first.
    """

    deformation: Tensor
    occlusion_map: Tensor
    mask: Tensor
    sparse_motion: Tensor


def heatmaps(source: KeyPoints, driving: KeyPoints, height: int, width: int) -> Tensor:
    """Driving minus source Gaussians, (N, K+1, h, w); the background's are zeros (eq. 6)."""
    heat = gaussians(driving.value, height, width) - gaussians(source.value, height, width)
    return torch.cat([torch.zeros_like(heat[:, :1]), heat], dim=1)


def sparse_motion(source: KeyPoints, driving: KeyPoints, height: int, width: int) -> Tensor:
    """First-order motion around each key point, (N, K+1, h, w, 2); the first stays (eq. 4)."""
    still = grid(height, width, source.value)
    offset = still - driving.value[:, :, None, None]  # (N, K, h, w, 2)
    with full_precision(still):
        affine = source.jacobian @ inverse(driving.jacobian)
        moved = torch.einsum("nkij,nkhwj->nkhwi", affine, offset)
    moved = moved + source.value[:, :, None, None]
    return torch.cat([still.expand_as(moved[:, :1]), moved], dim=1)


class DenseMotion(nn.Module):
    """Mixes the K+1 sparse motions of (N, 3, H, W) sources pixel by pixel (section 3.2)."""

    def __init__(self, config: MotionConfig):
        super().__init__()
        motions = config.key_points + 1
        self.hourglass = Hourglass(4 * motions, config.dense)
        self.mask = nn.Conv2d(self.hourglass.channels, motions, 7, padding=3)
        self.occlusion = nn.Conv2d(self.hourglass.channels, 1, 7, padding=3)
        self.down = MotionInput(config.factor)

    def forward(
        self, image: Tensor, source: KeyPoints, driving: KeyPoints, align_corners: bool
    ) -> Motion:
        small = self.down(image)
        height, width = small.shape[-2:]
        sparse = sparse_motion(source, driving, height, width)
        warped = warp_each(small, sparse, align_corners)  # (N, K+1, 3, h, w)
        heat = heatmaps(source, driving, height, width)
        features = self.hourglass(torch.cat([heat.unsqueeze(2), warped], dim=2).flatten(1, 2))
        mask = torch.softmax(self.mask(features).float(), dim=1)
        with full_precision(image):
            deformation = torch.einsum("nkhw,nkhwc->nhwc", mask, sparse)
        return Motion(deformation, torch.sigmoid(self.occlusion(features).float()), mask, sparse)


def warp_each(image: Tensor, sparse: Tensor, align_corners: bool) -> Tensor:
    """`image` (N, 3, h, w) by each of (N, K+1, h, w, 2) motions: (N, K+1, 3, h, w)."""
    # The motions are stacked along the height, so that one call samples one image.
    count, motions, height, width, _ = sparse.shape
    warped = sample(image, sparse.reshape(count, motions * height, width, 2), align_corners)
    return warped.unflatten(2, (motions, height)).transpose(1, 2)
