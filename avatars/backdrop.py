"""Procedural pictures behind a face, blurred as a lens would."""

import numpy as np

from avatars import optics
from avatars.scene import Backdrop

SIZE = 96  # pixels a side: blurred anyway


def paint(backdrop: Backdrop) -> np.ndarray:
    """(SIZE, SIZE, 3) float32 linear RGB in [0, 1], row 0 at the bottom, from its own seed."""
    rng = np.random.default_rng(backdrop.seed)
    top, bottom = (np.asarray(colour) for colour in backdrop.colours)
    height = np.linspace(0, 1, SIZE)[:, None, None]
    picture = np.broadcast_to(bottom * (1 - height) + top * height, (SIZE, SIZE, 3)).copy()
    if backdrop.kind == "ward":
        _ward(picture, rng)
    elif backdrop.kind == "pillow":
        _pillow(picture, rng)
    blurred = _blur(picture, 3.0 if backdrop.kind == "pillow" else 4.0)
    return np.clip(blurred, 0, 1).astype(np.float32)


def look_behind(panorama: np.ndarray, turn: float, azimuth: float) -> np.ndarray:
    """(SIZE, SIZE, 3) float32 in [0, 1]: what a camera at `azimuth` degrees sees of a panorama.

    `panorama` (rows, 2 rows, 3) is turned by `turn` degrees, as `worlds` defines it. A wide view,
    far out of focus: behind a face nobody reads a room.
    """
    rows = len(panorama)
    away = -optics.direction(azimuth, 0.0)
    right, up = np.cross(away, [0, 0, 1.0]), np.array([0, 0, 1.0])
    spread = np.linspace(-0.55, 0.55, SIZE)
    rays = away + spread[None, :, None] * right + spread[:, None, None] * up
    a = np.radians(turn)
    x = np.cos(a) * rays[..., 0] - np.sin(a) * rays[..., 1]
    y = np.sin(a) * rays[..., 0] + np.cos(a) * rays[..., 1]
    column = (0.5 - np.arctan2(y, x) / (2 * np.pi)) * 2 * rows
    row = (np.arctan2(rays[..., 2], np.hypot(x, y)) / np.pi + 0.5) * rows
    seen = panorama[row.astype(int).clip(0, rows - 1), column.astype(int) % (2 * rows)]
    return _blur(seen / (0.6 + seen), 4.0).astype(np.float32)  # highlights roll off


def _ward(picture: np.ndarray, rng: np.random.Generator) -> None:
    """Curtain folds, a window and a few bedside shapes."""
    folds = 1 + 0.18 * np.sin(np.linspace(0, rng.uniform(30, 70), SIZE) + rng.uniform(0, 6))
    picture *= folds[None, :, None]
    for _ in range(int(rng.integers(4, 8))):
        x, y = rng.integers(0, SIZE - 12, 2)
        w, h = rng.integers(8, 34, 2)
        picture[y : y + h, x : x + w] = rng.uniform(0.05, 0.8) * (1 + rng.normal(0, 0.12, 3))


def _pillow(picture: np.ndarray, rng: np.random.Generator) -> None:
    """A pale rounded cushion behind the head."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1) - 0.5
    tilt = rng.normal(0, 0.1)
    shape = (np.abs(x + tilt * y) / 0.43) ** 4 + (np.abs(y + 0.02) / 0.30) ** 4
    inside = 1 / (1 + np.exp(8 * (shape - 1)))
    cloth = (
        rng.uniform(0.55, 0.8) * (1 + rng.normal(0, 0.03, 3)) * (0.85 + 0.3 * (0.5 + y))[..., None]
    )
    picture[:] = picture * (1 - inside[..., None]) + cloth * inside[..., None]


def _blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    reach = int(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        widths = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(picture, widths, mode="edge")
        picture = sum(
            weight * np.take(padded, np.arange(SIZE) + shift, axis=axis)
            for shift, weight in enumerate(kernel)
        )
    return picture
