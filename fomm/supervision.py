"""What 68 landmarks teach: where key points belong and which pixels matter most.

Unsupervised key points do not learn eyelids in any budget a CPU affords, so the ten key points
are told where to be. Lids and inner lips come in pairs: an eye is closed and lips are shut when
the two points of a pair meet. iBUG order; the person's own right is on the image's left.
"""

import numpy as np
import torch
from torch import Tensor

from fomm.geometry import grid

POINTS: dict[str, list[int]] = {  # key point > landmarks whose mean it is
    "right upper lid": [37, 38],
    "left upper lid": [43, 44],
    "right lower lid": [40, 41],
    "left lower lid": [46, 47],
    "right mouth corner": [48],
    "left mouth corner": [54],
    "upper lip": [62],
    "lower lip": [66],
    "nose tip": [30],
    "chin": [8],
}
# Upper and lower of each opening: two points of a pair that meet are a closed eye or shut lips.
OPENINGS = (
    ("right upper lid", "right lower lid"),
    ("left upper lid", "left lower lid"),
    ("upper lip", "lower lip"),
)
EYES = (slice(36, 42), slice(42, 48))
MOUTH = slice(48, 68)
INNER_LIPS = slice(60, 68)
GAP = 2.0  # what the gap between the lips weighs beyond the mouth: a few pixels tell it from shut

# Which landmark each one becomes when the image is mirrored.
MIRRORED = np.concatenate(
    [
        [*range(16, -1, -1)],  # jaw
        [*range(26, 16, -1)],  # brows
        [*range(27, 31), *range(35, 30, -1)],  # nose
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],  # eyes
        [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)],  # lips
    ]
)


def to_unit(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Pixels from the top left corner to [-1, 1] with -1 and 1 at the outer pixels' centres."""
    unit = 2 * (np.asarray(landmarks, dtype=np.float32) - 0.5) / (size - 1) - 1
    return unit.astype(np.float32)


def key_point_targets(landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """From (N, 68, 2) in [-1, 1]: where the key points belong (N, 10, 2), and which are in view."""
    targets = torch.stack([landmarks[:, rows].mean(1) for rows in POINTS.values()], dim=1)
    return targets, (targets.abs() < 1).all(-1).float()


def openings(points: Tensor) -> Tensor:
    """From key points (N, 10, 2): lower minus upper point of lids and lips (N, 3, 2)."""
    names = list(POINTS)
    upper, lower = zip(*((names.index(a), names.index(b)) for a, b in OPENINGS), strict=True)
    return points[:, list(lower)] - points[:, list(upper)]


def eye_and_mouth_weight(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size) in [0, 1 + GAP]: soft ellipses over eyes and mouth of (N, 68, 2)."""
    where = grid(size, size, landmarks)
    regions = [(landmarks[:, rows], 0.45) for rows in EYES] + [(landmarks[:, MOUTH], 0.4)]
    parts = torch.stack([_ellipse(where, *region) for region in regions]).amax(0)
    return (parts + GAP * _ellipse(where, landmarks[:, INNER_LIPS], 0.2)).unsqueeze(1)


def _ellipse(where: Tensor, points: Tensor, height: float) -> Tensor:
    """A Gaussian bump (N, H, W) over (N, P, 2) points, `height` as high as wide."""
    low, high = points.amin(1), points.amax(1)
    centre, width = (low + high) / 2, (high - low)[:, 0].clamp_min(0.05)
    spread = torch.stack([0.6 * width, height * width], dim=-1)  # lids' and lips' surroundings too
    offset = (where - centre[:, None, None]) / spread[:, None, None]
    return torch.exp(-0.5 * offset.square().sum(-1).square())
