"""The gates a clip must pass; each says in one sentence why a clip was turned away.

Thresholds are set wide: they are to catch defects (a black frame, a clip that hangs, a face that
leaves the picture), never to choose pretty clips.
"""

from typing import Literal, get_args

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.media.video import Frames

Reason = Literal[
    "missing", "unreadable", "short", "blank", "frozen",
    "no_face", "several_faces", "face_lost", "face_cut", "blurred",
    "duplicate", "near_duplicate",
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)

BLANK = 4.0  # grey levels of standard deviation; a plain lit wall has more
FROZEN = 6.0  # grey levels of the largest smoothed change; closing eyes give 30 and more
CUT = 0.1  # of the face box outside the picture; a turned head's box reaches past the nose
BLURRED = 0.002  # sharpness, below; sharp faces have 0.013 and more, see quarantine.md


class Rejected(ClipError):
    """A clip that fails a gate: `reason` is one of REASONS, `detail` one sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def check_frames(frames: Frames) -> None:
    """Rejected when (T, H, W, 3) uint8 frames are too few, hold a blank one or never change."""
    if len(frames) < 2:
        raise Rejected("short", f"the video has {len(frames)} frame; motion needs two or more")
    greys = to_grey(frames)
    spread = greys.std(axis=(1, 2))
    if spread.min() < BLANK:
        raise Rejected(
            "blank",
            f"frame {int(spread.argmin())} is blank: its grey values spread by only "
            f"{spread.min():.1f} levels",
        )
    change = largest_change(greys)
    if change < FROZEN:
        raise Rejected(
            "frozen", f"nothing moves: no pixel changes by more than {change:.1f} levels"
        )


def check_box(boxes: np.ndarray, width: int, height: int) -> None:
    """Rejected when a (T, 4) face box leaves a picture of `width` x `height` pixels."""
    left, top, right, bottom = boxes.T
    outside = np.max([-left, -top, right - width, bottom - height], axis=0)
    share = outside / (right - left)
    worst = int(share.argmax())
    if share[worst] > CUT:
        raise Rejected(
            "face_cut",
            f"the picture's border cuts {100 * share[worst]:.0f} % off the face in frame {worst}",
        )


def check_sharpness(crop: np.ndarray) -> None:
    """Rejected when an (H, W, 3) uint8 face crop shows no fine detail."""
    value = sharpness(crop)
    if value < BLURRED:
        raise Rejected("blurred", f"the face is blurred: sharpness {value:.4f} < {BLURRED}")


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) over the variance of the grey values.

    The ratio does not change with light or contrast.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(
        grey, (0, 0), 1
    )  # else rounding to 8 bits is the detail of flat faces
    detail = cv2.Laplacian(smooth, cv2.CV_32F)[3:-3, 3:-3]  # the rim is made up by reflection
    return float(detail.var() / max(grey.var(), 1e-6))


def largest_change(greys: np.ndarray) -> float:
    """Largest smoothed difference in grey levels of (T, H, W) frames from the first one."""
    smooth = np.stack([cv2.GaussianBlur(grey, (0, 0), 1.5) for grey in greys.astype(np.float32)])
    return float(np.abs(smooth - smooth[0]).max())


def to_grey(frames: Frames) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB > (T, H, W) uint8."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
