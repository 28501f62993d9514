"""Are two pictures of a face the same picture? Compared by detail, at every near framing.

Faces are alike in what is large (dark eyes on light skin), so that correlation of grey values tells
copies from strangers badly. What is left after subtracting the surroundings and dividing by their
contrast is the person's own: creases, brows, the outline of lips and lids. A copy that was framed
anew lies some pixels elsewhere, so that one of the two is looked at through many framings, also
mirrored. Measured in docs/formats/split.md.
"""

from functools import cache
from itertools import product

import cv2
import numpy as np

PIXELS = 64  # a side that pictures are compared at
SIDE = 20  # cells a side of a look: 2.4 px each, twice the blur, so that neighbours overlap
INNER = 0.75  # of the picture: hair, borders and backdrop say little of a person
FINE, COARSE = 1.0, 3.0  # px; detail is what lies between the two blurs
FLOOR = 4.0  # grey levels; contrast below it is noise
SAME = 0.91  # likeness above which two pictures are one
SCALES = (0.9, 0.95, 1.0, 1.05, 1.1)
SHIFTS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # px
TURNS = (-0.05, 0.0, 0.05)  # radians


def shrink(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB > (PIXELS, PIXELS) uint8 grey."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    way = cv2.INTER_AREA if min(grey.shape) > PIXELS else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, (PIXELS, PIXELS), interpolation=way))


def looks(greys: np.ndarray) -> np.ndarray:
    """(N, PIXELS, PIXELS) uint8 > (N, SIDE**2) float32 of mean 0 and length 1, as they are framed.

    The look of a picture without detail is all 0.
    """
    plain = len(_moves()) // 2
    x, y = (grid[plain : plain + 1] for grid in _grids())
    return np.concatenate([_seen(_detail(grey), x, y) for grey in greys])


def framings(grey: np.ndarray) -> np.ndarray:
    """(PIXELS, PIXELS) uint8 > (M, SIDE**2) float32 looks, one a framing, mirrored ones too."""
    detail = _detail(grey)
    return np.concatenate([_seen(side, *_grids()) for side in (detail, detail[:, ::-1])])


def likeness(framed: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(M, D) framings of one picture, (N, D) looks > (N,) their best correlations; 1: the same."""
    return np.asarray((framed @ others.T).max(axis=0))


def _detail(grey: np.ndarray) -> np.ndarray:
    fine = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), FINE)
    detail = fine - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), COARSE)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), COARSE)) + FLOOR))


def _seen(detail: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # (M, SIDE, SIDE) places > (M, SIDE**2) values there.
    seen = cv2.remap(np.ascontiguousarray(detail), x.reshape(-1, SIDE), y.reshape(-1, SIDE),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    seen = seen.reshape(len(x), -1)
    seen = seen - seen.mean(axis=1, keepdims=True)
    return np.asarray(seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-3))


def _moves() -> list[tuple[float, float, float, float]]:
    return list(product(SCALES, SHIFTS, SHIFTS, TURNS))  # the middle one moves nothing


@cache
def _grids() -> tuple[np.ndarray, np.ndarray]:
    """Where each framing looks: x and y, (M, SIDE, SIDE) float32 px of a picture of PIXELS."""
    scale, right, down, turn = (np.array(v)[:, None, None] for v in zip(*_moves(), strict=True))
    step = INNER * PIXELS / SIDE * scale
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    middle = (PIXELS - 1) / 2
    x = middle + right + step * (np.cos(turn) * column - np.sin(turn) * row)
    y = middle + down + step * (np.sin(turn) * column + np.cos(turn) * row)
    return x.astype(np.float32), y.astype(np.float32)
