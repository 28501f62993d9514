"""Square crops that stand still: one size a clip, a smoothed centre.

Neither looks ahead: were the first crop framed by what the face does later, it would tell the
display that it does not show (`pipeline.evaluation.probes` found that it did).
"""

import cv2
import numpy as np

from pipeline.media.video import Frames

DROP = 0.1  # of the face box: a detector's box ends near the chin but starts high on the forehead
# Weights of this frame and the three before it, half a Gaussian of one frame: jitter of a pixel
# goes, a head turn stays and comes half a frame late.
PAST = np.exp(-(np.arange(4.0) ** 2) / 2)


def crop_boxes(faces: np.ndarray, margin: float) -> np.ndarray:
    """(T, 4) face boxes px > (T, 4) square boxes px of one whole-pixel size, smoothed centres.

    The side is the first face's, neutral and frontal, widened by `margin` of itself on each side;
    the centre lies DROP of it below the face box's, so that a long chin stays inside.
    """
    face = float(faces[0, 2] - faces[0, 0])
    side = max(2, round(face * (1 + 2 * margin)))
    centres = _smoothed((faces[:, :2] + faces[:, 2:]) / 2)
    centres[:, 1] += DROP * face
    return np.concatenate([centres - side / 2, centres + side / 2], axis=1)


def _smoothed(path: np.ndarray) -> np.ndarray:
    padded = np.concatenate([np.repeat(path[:1], len(PAST) - 1, axis=0), path])
    lags = [padded[len(PAST) - 1 - lag : len(padded) - lag] for lag in range(len(PAST))]
    return np.tensordot(PAST / PAST.sum(), np.stack(lags), axes=1)


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
