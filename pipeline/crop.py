"""Square crops that stand still: one size a clip, a smoothed centre."""

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from pipeline.video import Frames

DROP = 0.1  # of the face box: a detector's box ends near the chin but starts high on the forehead
SMOOTH = 1.0  # frames (standard deviation): jitter of a pixel goes, a head turn stays


def crop_boxes(faces: np.ndarray, margin: float) -> np.ndarray:
    """(T, 4) face boxes px > (T, 4) square boxes px of one whole-pixel size, smoothed centres.

    The side is the clip's median face side widened by `margin` of itself on each side; the centre
    lies DROP of it below the face box's, so that a long chin stays inside.
    """
    face = float(np.median(faces[:, 2] - faces[:, 0]))
    side = max(2, round(face * (1 + 2 * margin)))
    centres = gaussian_filter1d((faces[:, :2] + faces[:, 2:]) / 2, SMOOTH, axis=0, mode="nearest")
    centres[:, 1] += DROP * face
    return np.concatenate([centres - side / 2, centres + side / 2], axis=1)


def cut(frames: Frames, boxes: np.ndarray, size: int) -> Frames:
    """(T, H, W, 3) uint8 frames and (T, 4) square boxes px > (T, size, size, 3) uint8 crops.

    Centres are honoured to a fraction of a pixel; past the border the border pixel repeats.
    """
    side = round(boxes[0, 2] - boxes[0, 0])
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    crops = []
    for frame, (left, top, right, bottom) in zip(frames, boxes, strict=True):
        # A pixel's centre, not its corner, is its whole-number coordinate in OpenCV.
        centre = ((left + right - 1) / 2, (top + bottom - 1) / 2)
        patch = cv2.getRectSubPix(np.ascontiguousarray(frame), (side, side), centre)
        crops.append(cv2.resize(patch, (size, size), interpolation=way))
    return np.stack(crops)
