"""How face-alignment looks at a face: its crop about a box, and the heat maps it reads points from.

Coordinates are continuous: pixel i covers [i, i + 1), as landmarks of the renders have it.
"""

import cv2
import numpy as np
from face_alignment.utils import CENTER_Y_OFFSET, REFERENCE_SCALE, SCALE_FACTOR

SIDE = 256  # px of the crop that a FAN sees
STRIDE = 4  # of its px a heat-map pixel covers
SIGMA = 1.5  # heat-map px; the library reads the highest pixel and the slope beside it
# iBUG numbers of the mirrored face; the mesh's landmarks lie on mirrored vertices.
MIRROR = np.array([
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1),
    *range(64, 59, -1), 67, 66, 65,
])  # fmt: skip


def aligner_view(box: np.ndarray, side: int = SIDE) -> np.ndarray:
    """(2, 3) affine map from a picture's px to the `side` px crop about a box (4,) px.

    The crop's centre lies above the box's and its window is some twice as wide: so
    `get_landmarks_from_image` frames `detected_faces`.
    """
    width, height = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 - np.array([0, CENTER_Y_OFFSET * height])
    scale = side / (SCALE_FACTOR * (width + height) / REFERENCE_SCALE)
    return np.column_stack([scale * np.eye(2), side / 2 - scale * centre])


def turned(view: np.ndarray, degrees: float, middle: np.ndarray) -> np.ndarray:
    """The view (2, 3) with what it shows turned about a point `middle` (2,) of its crop."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn @ view[:, :2], turn @ (view[:, 2] - middle) + middle])


def seen(picture: np.ndarray, view: np.ndarray, side: int, border: int) -> np.ndarray:
    """(side, side, ...) uint8 of a picture (H, W, ...) through a view; `border` as OpenCV's."""
    scale = np.hypot(*view[:, 0])
    if scale < 1:  # a filter first: warpAffine alone would alias
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 / scale)
    # To OpenCV a whole number is a pixel's centre, not its corner.
    shift = view[:, :2].sum(axis=1) / 2 - 0.5
    matrix = np.column_stack([view[:, :2], view[:, 2] + shift])
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), borderMode=border))


def placed(points: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Points (..., 2) of a picture where the view shows them."""
    return np.asarray(points @ view[:, :2].T + view[:, 2])


def heat_maps(points: np.ndarray, side: int) -> np.ndarray:
    """(P, side / 4, side / 4) float32 bells of height 1 about points (P, 2) of a `side` px crop."""
    cells = np.arange(side // STRIDE) + 0.5
    x, y = (points / STRIDE).T[:, :, None]  # (P, 1) each
    row, column = (np.exp(-((cells - at) ** 2) / (2 * SIGMA**2)) for at in (y, x))
    return np.asarray(row[:, :, None] * column[:, None, :], dtype=np.float32)
