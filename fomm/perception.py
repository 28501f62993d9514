"""How unlike two pictures look to a network that was taught to name things (arXiv 1801.03924).

The distance is that of unit feature vectors over four depths of MobileNetV2 (arXiv 1801.04381). The
weights are the caller's: a training's loss, and a benchmark's judge.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

# Expansion, channels, blocks and stride of the first stages: later ones see objects, not faces.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2))
DEPTHS = (1, 3, 6, 10)  # the last block of each stage
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours


class _Inverted(nn.Module):
    """An inverted residual: widen, look around, narrow."""

    def __init__(self, given: int, made: int, stride: int, expansion: int):
        super().__init__()
        wide = given * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [_layer(given, wide, 1)]
        narrow = [nn.Conv2d(wide, made, 1, bias=False), nn.BatchNorm2d(made)]
        self.conv = nn.Sequential(*layers, _layer(wide, wide, 3, stride, wide), *narrow)
        self.adds = stride == 1 and given == made

    def forward(self, image: Tensor) -> Tensor:
        made: Tensor = self.conv(image)
        return image + made if self.adds else made


def _layer(given: int, made: int, side: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    step = nn.Conv2d(given, made, side, stride, side // 2, groups=groups, bias=False)
    return nn.Sequential(step, nn.BatchNorm2d(made), nn.ReLU6())


class Perception(nn.Module):
    """MobileNetV2's first eleven blocks with the weights of a file in torchvision's names."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.features = _blocks()
        known = torch.load(weights, weights_only=True, map_location="cpu")
        self.load_state_dict({name: known[name] for name in self.state_dict()})
        self.eval().requires_grad_(False)

    def loss(self, one: Tensor, other: Tensor) -> Tensor:
        """Mean distance of (N, 3, H, W) in [0, 1], pair by pair, with its gradient; 0: the same."""
        layers = zip(self._look(one), self._look(other), strict=True)
        return torch.stack([(a - b).square().sum(1).mean() for a, b in layers]).sum()

    @torch.inference_mode()
    def distance(self, one: np.ndarray, other: np.ndarray) -> float:
        """As `loss`, of pictures (T, S, S, 3) uint8."""
        return float(self.loss(_images(one), _images(other)))

    def _look(self, image: Tensor) -> list[Tensor]:
        mean, spread = (image.new_tensor(value)[:, None, None] for value in (MEAN, SPREAD))
        image, seen = (image - mean) / spread, []
        blocks = self.features
        for depth, block in enumerate(blocks):
            image = block(image)
            if depth in DEPTHS:
                seen.append(nn.functional.normalize(image, dim=1, eps=1e-6))
        return seen


def network() -> nn.ModuleDict:
    """MobileNetV2's first eleven blocks, untrained, under torchvision's names."""
    return nn.ModuleDict({"features": _blocks()})


def _blocks() -> nn.ModuleList:
    blocks: list[nn.Module] = [_layer(3, 32, 3, 2)]
    width = 32
    for expansion, channels, count, stride in STAGES:
        for number in range(count):
            blocks.append(_Inverted(width, channels, stride if number == 0 else 1, expansion))
            width = channels
    return nn.ModuleList(blocks)


def _images(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
