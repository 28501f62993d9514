"""The generator: source features warped by the dense motion, then decoded."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fomm.config import MotionConfig
from fomm.dense_motion import DenseMotion, Motion
from fomm.geometry import gaussians, resize, sample
from fomm.keypoints import KeyPoints
from fomm.layers import ConvBlock, DownBlock, ResidualBlock, UpBlock


@dataclass(frozen=True)
class Generated(Motion):
    """`prediction` (N, 3, H, W) in [0, 1]; `deformed` is the source merely warped; the motion."""

    prediction: Tensor
    deformed: Tensor


@dataclass(frozen=True)
class Moved:
    """The dense `motion` and the N sets of key points it leads from and to."""

    motion: Motion
    source: KeyPoints
    driving: KeyPoints


@dataclass(frozen=True)
class Decoded:
    """Frames in [0, 1]: `prediction` (N, 3, H, W), `deformed` (N, 3, H, W) the source merely
    warped; where the model blends, `painted` (N, 4, H, W) are the colours that the decoder puts
    over it and their share.
    """

    prediction: Tensor
    deformed: Tensor
    painted: Tensor | None = None


NEAR = 0.002  # variance of the decoder's heat maps: lips and lids that part are pixels away


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
        self.final = nn.Conv2d(widths[0], 4 if config.blend else 3, 7, padding=3)
        self.blend = config.blend
        if self.blend:
            self.places = nn.Conv2d(2 * config.key_points, widths[-1], 3, padding=1)

    def encode(self, image: Tensor) -> Tensor:
        """Features (N, C, h, w) of the source; one pass serves every driving frame."""
        features = self.first(image)
        for block in self.down_blocks:
            features = block(features)
        return features

    def image_path(self) -> list[nn.Module]:
        """All of the generator that sees pictures rather than motion."""
        told = [self.places] if self.blend else []
        return [self.first, self.down_blocks, *told, self.bottleneck, self.up_blocks, self.final]

    def reproduce(self, image: Tensor) -> Tensor:
        """The image (N, 3, H, W) encoded and decoded without motion."""
        return self._render(self.encode(image))[:, :3]

    def decode(self, image: Tensor, features: Tensor, moved: Moved, align_corners: bool) -> Decoded:
        """What `features` (N, C, h, w) of the source `image` (N, 3, H, W) show, once moved."""
        motion = moved.motion
        size = features.shape[-2:]
        warped = warp(features, motion.deformation, align_corners)
        warped = warped * resize(motion.occlusion_map, *size)
        deformed = warp(image, motion.deformation, align_corners)
        if not self.blend:
            return Decoded(self._render(warped), deformed)
        points = torch.cat([moved.source.value, moved.driving.value], dim=1)
        painted = self._render(warped + self.places(gaussians(points, size[0], size[1], NEAR)))
        prediction = torch.lerp(deformed, painted[:, :3], painted[:, 3:])
        return Decoded(prediction, deformed, painted)

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
        moved = Moved(motion, source, driving)
        made = self.decode(image, self.encode(image), moved, align_corners)
        return Generated(**vars(motion), prediction=made.prediction, deformed=made.deformed)


def warp(image: Tensor, deformation: Tensor, align_corners: bool) -> Tensor:
    """(N, C, H, W) read through a flow (N, h, w, 2) that is first resized to H x W."""
    flow = resize(deformation.permute(0, 3, 1, 2), *image.shape[-2:])
    return sample(image, flow.permute(0, 2, 3, 1), align_corners)
