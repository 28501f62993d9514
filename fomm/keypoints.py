"""Key points with their local affine frames, and the motion between two sets of them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fomm.config import MotionConfig
from fomm.errors import MotionError
from fomm.geometry import full_precision, grid, inverse
from fomm.layers import Hourglass, MotionInput


@dataclass(frozen=True)
class KeyPoints:
    """`value` (N, K, 2) is (x, y) in [-1, 1], y down; `jacobian` (N, K, 2, 2)."""

    value: Tensor
    jacobian: Tensor

    def __getitem__(self, rows: slice) -> "KeyPoints":
        return KeyPoints(self.value[rows], self.jacobian[rows])

    def __len__(self) -> int:
        return len(self.value)

    def expand(self, count: int) -> "KeyPoints":
        """One row seen as `count` rows; any other number of rows stays as it is."""
        if len(self) != 1:
            return self
        return KeyPoints(self.value.expand(count, -1, -1), self.jacobian.expand(count, -1, -1, -1))

    @staticmethod
    def cat(parts: "list[KeyPoints]") -> "KeyPoints":
        """The rows of all parts, in order."""
        return KeyPoints(
            torch.cat([part.value for part in parts]), torch.cat([part.jacobian for part in parts])
        )


class KeyPointDetector(nn.Module):
    """Finds K key points in (N, 3, H, W) frames in [0, 1] (Siarohin et al. 2019, section 3.1)."""

    def __init__(self, config: MotionConfig):
        super().__init__()
        self.predictor = Hourglass(3, config.detector)
        self.kp = nn.Conv2d(self.predictor.channels, config.key_points, 7)
        self.jacobian = nn.Conv2d(self.predictor.channels, 4 * config.key_points, 7)
        self.down = MotionInput(config.factor)
        self.temperature = config.temperature
        # Training starts from pure translations: the Jacobian head says identity everywhere.
        nn.init.zeros_(self.jacobian.weight)
        with torch.no_grad():
            bias = torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(config.key_points)
            self.jacobian.bias = nn.Parameter(bias)

    def heads(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, K, h, w) of where each key point is, and Jacobian maps (N, K, 4, h, w)."""
        features = self.predictor(self.down(frames))
        return self.kp(features), self.jacobian(features).unflatten(1, (-1, 4))

    def forward(self, frames: Tensor) -> KeyPoints:
        logits, maps = self.heads(frames)
        with full_precision(frames):
            heat = torch.softmax(logits.float().flatten(2) / self.temperature, dim=-1)
            where = grid(logits.shape[2], logits.shape[3], heat).flatten(0, 1)  # (h w, 2)
            jacobian = torch.einsum("nkp,nkcp->nkc", heat, maps.float().flatten(3))
            return KeyPoints(heat @ where, jacobian.unflatten(-1, (2, 2)))


def hull_area(points: np.ndarray) -> float:
    """Area of the convex hull of (K, 2) points (Andrew's monotone chain, shoelace formula)."""
    ordered = sorted(map(tuple, points.astype(np.float64)))
    hull = np.array(_half_hull(ordered)[:-1] + _half_hull(ordered[::-1])[:-1])
    x, y = hull[:, 0], hull[:, 1]
    return float(0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _half_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    chain: list[tuple[float, float]] = []
    for p in points:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
            chain.pop()
        chain.append(p)
    return chain


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def movement_scale(source: KeyPoints, initial: KeyPoints) -> Tensor:
    """How much larger the source face is than the driving one: (N,), by their hulls' areas."""
    pairs = zip(source.value, initial.value, strict=True)
    scales = [
        np.sqrt(_face_area(one, "source")) / np.sqrt(_face_area(other, "first driving frame"))
        for one, other in pairs
    ]
    return torch.tensor(scales, dtype=torch.float32, device=source.value.device)


def _face_area(points: Tensor, whose: str) -> float:
    area = hull_area(points.detach().float().cpu().numpy())
    if not area > 1e-6:
        raise MotionError(f"the key points of the {whose} fall together; is a face in it?")
    return area


def relative_motion(
    source: KeyPoints, initial: KeyPoints, driving: KeyPoints, adapt_scale: bool = True
) -> KeyPoints:
    """The source's key points after the motion from `initial` to `driving` (section 3.3).

    `source` and `initial` have one row or as many as `driving`.
    """
    source, initial = source.expand(len(initial)), initial.expand(len(source))
    scale = movement_scale(source, initial) if adapt_scale else source.value.new_ones(len(source))
    with full_precision(driving.value):
        value = source.value + scale[:, None, None] * (driving.value - initial.value)
        return KeyPoints(value, driving.jacobian @ inverse(initial.jacobian) @ source.jacobian)
