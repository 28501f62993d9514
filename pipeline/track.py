"""A face box carried from frame to frame by sparse optical flow (Lucas & Kanade 1981).

Frontal cascades lose a face that turns, so the box is found once and followed: corners inside it
are traced forth and back, those that do not return are dropped, and the rest agree on one
similarity (RANSAC) that moves the box.
"""

from itertools import pairwise

import cv2
import numpy as np

from pipeline.quality import Rejected
from pipeline.video import Frames

WORKING = 256  # short side in px that frames are scaled to: small faces keep enough corners
CORNERS = 200
LEAST = 8  # traced corners below which the box is lost
RETURN = 1.0  # px a corner may miss its start by after forth and back
WINDOW = (21, 21)  # px about a corner
GROWTH = 0.08  # share by which a box may grow or shrink in one frame


def follow_flow(frames: Frames, box: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) uint8 frames and frame 0's box (4,) px > (T, 4) square boxes px.

    Raises Rejected ("face_lost") when too few corners can be traced.
    """
    greys, scales = zip(*(working_grey(frame) for frame in frames), strict=True)
    box = np.asarray(box, dtype=np.float64) * scales[0]
    boxes = [box]
    for number, (before, after) in enumerate(pairwise(greys), start=1):
        box = _carry(box, _similarity(before, after, box, number))
        boxes.append(box)
    return np.stack(boxes) / scales[0]


def working_grey(frame: np.ndarray) -> tuple[np.ndarray, float]:
    """(H, W, 3) uint8 RGB > grey with a short side of WORKING px, and the scale to it."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    scale = WORKING / min(grey.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=way), scale


def _similarity(before: np.ndarray, after: np.ndarray, box: np.ndarray, number: int) -> np.ndarray:
    start = cv2.goodFeaturesToTrack(before, CORNERS, 0.01, 4, mask=_face_mask(before.shape, box))
    if start is None or len(start) < LEAST:
        raise Rejected("face_lost", f"the face was lost in frame {number}: too little to trace")
    there = _trace(before, after, start)
    back = _trace(after, before, there)
    kept = np.linalg.norm(back - start, axis=2)[:, 0] < RETURN
    moved = None
    if kept.sum() >= LEAST:
        moved, _ = cv2.estimateAffinePartial2D(start[kept], there[kept])
    if moved is None:
        raise Rejected("face_lost", f"the face was lost in frame {number}: its motion is broken")
    return np.asarray(moved)


def _trace(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> np.ndarray:
    there = np.empty_like(points)  # (N, 1, 2) float32, filled in place
    cv2.calcOpticalFlowPyrLK(before, after, points, there, winSize=WINDOW)
    return there


def _face_mask(shape: tuple[int, ...], box: np.ndarray) -> np.ndarray:
    # The ellipse in the box: corners of the background would hold the box back.
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    y, x = np.ogrid[: shape[0], : shape[1]]
    inside = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 <= 1
    return inside.astype(np.uint8)


def _carry(box: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    centre = similarity @ np.append((box[:2] + box[2:]) / 2, 1.0)
    growth = np.clip(np.hypot(*similarity[:, 0]), 1 - GROWTH, 1 + GROWTH)
    half = (box[2:] - box[:2]) / 2 * growth
    return np.concatenate([centre - half, centre + half])
