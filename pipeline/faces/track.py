"""A face box carried from frame to frame: found again where it can be, else by optical flow.

A detector finds most faces anew in the next frame, and never drifts; where it does not (a head far
turned, eyes shut), sparse flow (Lucas & Kanade 1981) carries the box: corners inside it are traced
forth and back, those that do not return are dropped, and the rest agree on one similarity (RANSAC).
"""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from pipeline.faces.quality import Rejected
from pipeline.media.video import Frames

WORKING = 256  # short side in px that frames are scaled to: small faces keep enough corners
CORNERS = 200
LEAST = 8  # traced corners below which the box is lost
RETURN = 1.0  # px a corner may miss its start by after forth and back
WINDOW = (21, 21)  # px about a corner
GROWTH = 0.08  # share by which flow may grow or shrink a box in one frame
SAME = 0.35  # overlap (intersection over union) with the last box above which a face is the same
ALIKE = 1.3  # times the last box that a found one may be larger or smaller

Find = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 RGB > (N, 4) boxes px


def follow(frames: Frames, box: np.ndarray, find: Find) -> np.ndarray:
    """(T, H, W, 3) uint8 frames and frame 0's box (4,) px > (T, 4) square boxes px.

    Raises Rejected ("face_lost") when a face is neither found again nor can be traced.
    """
    boxes = [np.asarray(box, dtype=np.float64)]
    for number, (before, after) in enumerate(pairwise(frames), start=1):
        again = _same_face(find(after), boxes[-1])
        boxes.append(flow_step(before, after, boxes[-1], number) if again is None else again)
    return np.stack(boxes)


def flow_step(before: np.ndarray, after: np.ndarray, box: np.ndarray, number: int) -> np.ndarray:
    """The box (4,) px of frame `before` carried to frame `after`, which is frame `number`."""
    (old, scale), (new, _) = working_grey(before), working_grey(after)
    return _carry(box * scale, _similarity(old, new, box * scale, number)) / scale


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes (4,)."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return float(shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared))


def _same_face(found: np.ndarray, last: np.ndarray) -> np.ndarray | None:
    side = last[2] - last[0]
    alike = [b for b in found if side / ALIKE < b[2] - b[0] < side * ALIKE]
    best = max(alike, key=lambda box: overlap(box, last), default=None)
    return best if best is not None and overlap(best, last) > SAME else None


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
