"""The generator: source features warped by the dense motion, then decoded."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fomm.config import MotionConfig
from fomm.dense_motion import DenseMotion, Motion
from fomm.geometry import resize, sample
from fomm.keypoints import KeyPoints
from fomm.layers import ConvBlock, DownBlock, ResidualBlock, UpBlock


@dataclass(frozen=True)
class Generated(Motion):
    """`prediction` (N, 3, H, W) in [0, 1]; `deformed` is the source merely warped; the motion."""

    prediction: Tensor
    deformed: Tensor


class Generator(nn.Module):
    """Source frames (N, 3, H, W) in [0, 1] moved from one set of key points to another."""

    def __init__(self, config: MotionConfig):
        super().__init__()
        widths = [min(config.max_width, config.width * 2**i) for i in range(config.down_blocks + 1)]
        self.dense_motion_network = DenseMotion(config)
        self.first = ConvBlock(3, widths[0], kernel=7)
        self.down_blocks = nn.ModuleList(map(DownBlock, widths[:-1], widths[1:]))
        self.bottleneck = nn.Sequential()
        for i in range(config.residual_blocks):
            self.bottleneck.add_module(f"r{i}", ResidualBlock(widths[-1]))
        self.up_blocks = nn.ModuleList(map(UpBlock, widths[:0:-1], widths[-2::-1]))
        self.final = nn.Conv2d(widths[0], 3, 7, padding=3)

    def encode(self, image: Tensor) -> Tensor:
        """Features (N, C, H/4, W/4) of the source; one pass serves every driving frame."""
        features = self.first(image)
        for block in self.down_blocks:
            features = block(features)
        return features

    def image_path(self) -> list[nn.Module]:
        """All of the generator that sees pictures rather than motion."""
        return [self.first, self.down_blocks, self.bottleneck, self.up_blocks, self.final]

    def reproduce(self, image: Tensor) -> Tensor:
        """The image (N, 3, H, W) encoded and decoded without motion."""
        return self._render(self.encode(image))

    def decode(self, features: Tensor, motion: Motion, align_corners: bool) -> Tensor:
        """The frames (N, 3, H, W) that `features`, warped and occluded by `motion`, show."""
        size = features.shape[-2:]
        warped = warp(features, motion.deformation, align_corners)
        return self._render(warped * resize(motion.occlusion_map, *size))

    def _render(self, features: Tensor) -> Tensor:
        # A prepared model may decode in another type than it moves in (fomm.fast).
        out = self.bottleneck(features.to(self.final.weight.dtype))
        for block in self.up_blocks:
            out = block(out)
        return torch.sigmoid(self.final(out).float())

    def forward(
        self, image: Tensor, source: KeyPoints, driving: KeyPoints, align_corners: bool = True
    ) -> Generated:
        motion = self.dense_motion_network(image, source, driving, align_corners)
        prediction = self.decode(self.encode(image), motion, align_corners)
        deformed = warp(image, motion.deformation, align_corners)
        return Generated(**vars(motion), prediction=prediction, deformed=deformed)


def warp(image: Tensor, deformation: Tensor, align_corners: bool) -> Tensor:
    """(N, C, H, W) read through a flow (N, h, w, 2) that is first resized to H x W."""
    flow = resize(deformation.permute(0, 3, 1, 2), *image.shape[-2:])
    return sample(image, flow.permute(0, 2, 3, 1), align_corners)
