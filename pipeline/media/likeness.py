"""Are two pictures of a face the same picture? Compared by detail, at every near framing.

Faces are alike in what is large (dark eyes on light skin), so that correlation of grey values tells
copies from strangers badly. What is left after subtracting the surroundings and dividing by their
contrast is the person's own: creases, brows, the outline of lips and lids. A copy that was framed
anew lies some pixels elsewhere, so that one of the two is looked at through many framings, also
mirrored; the few that come near are laid onto each other exactly (ECC, Evangelidis and Psarakis
2008) and compared in finer detail, but for what is burnt out or black in one. Measured in
docs/formats/split.md.
"""

from functools import cache
from itertools import product

import cv2
import numpy as np

PIXELS = 64  # a side that pictures are compared at
SIDE = 20  # cells a side of a look: 2.4 px each, twice the blur, so that neighbours overlap
INNER = 0.75  # of the picture: hair, borders and backdrop say little of a person
DETAIL = (1.0, 3.0)  # px; detail is what lies between the two blurs
FINE = (0.7, 2.5)  # px; that of pictures that lie onto each other
FLOOR = 4.0  # grey levels; contrast below it is noise
LIT = (6, 248)  # grey levels within which a pixel tells something
SEEN = 0.3  # of the pixels that must be so, or all are compared
NEAR = 0.7  # nearness from which a closer look is worth its time; copies reached 0.79
FINALISTS = 3  # that are looked at closely: of each measured copy the original came first
SAME = 0.9  # likeness above which two pictures are one
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
    return np.concatenate([_seen(_detail(grey, DETAIL), x, y) for grey in greys])


def framings(grey: np.ndarray) -> np.ndarray:
    """(PIXELS, PIXELS) uint8 > (M, SIDE**2) float32 looks, one a framing, mirrored ones too."""
    detail = _detail(grey, DETAIL)
    return np.concatenate([_seen(side, *_grids()) for side in (detail, detail[:, ::-1])])


def nearness(framed: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M, D) framings of one picture, (N, D) looks > (N,) best correlations, (N,) their framings.

    A first look: 1 is the same, but a copy may be as low as some stranger.
    """
    every = framed @ others.T
    return every.max(axis=0), every.argmax(axis=0)


def finalists(near: np.ndarray) -> list[int]:
    """The numbers of the few of (N,) nearnesses that deserve a closer look, nearest first."""
    first = np.argsort(-near, kind="stable")[:FINALISTS]
    return [int(number) for number in first if near[number] > NEAR]


def likeness(one: np.ndarray, other: np.ndarray, framing: int) -> float:
    """The closer look at two (PIXELS, PIXELS) uint8 greys; 1: the same, above SAME: one picture.

    `framing` of `one` is where the search begins.
    """
    move, mirrored = _move(framing)
    one = np.ascontiguousarray(one[:, ::-1]) if mirrored else one
    move = _aligned(one, other, move)
    lit = _inner(_lit(other) * _moved(_lit(one), move))
    weight = lit / lit.sum() if lit.mean() > SEEN else np.full_like(lit, 1 / lit.size)
    pair = [_inner(d) for d in (_moved(_detail(one, FINE), move), _detail(other, FINE))]
    a, b = (values - (values * weight).sum() for values in pair)
    size = float(np.sqrt((a * a * weight).sum() * (b * b * weight).sum()))
    return float((a * b * weight).sum()) / max(size, 1e-6)


def _aligned(one: np.ndarray, other: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(2, 3) map of `other`'s pixels to `one`'s, near `start`, at which detail correlates best."""
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    inner = np.zeros((PIXELS, PIXELS), np.uint8)
    _inner(inner)[:] = 255
    details = _detail(other, DETAIL), _detail(one, DETAIL)
    try:
        move = cv2.findTransformECC(*details, start.copy(), cv2.MOTION_AFFINE, enough, inner, 1)[1]
    except cv2.error:  # the two have nothing in common that a shift would bring nearer
        return start
    return np.asarray(move)


def _moved(values: np.ndarray, move: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(values, move, (PIXELS, PIXELS), borderMode=cv2.BORDER_REPLICATE,
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip


def _inner(values: np.ndarray) -> np.ndarray:
    rim = round(PIXELS * (1 - INNER) / 2)
    return values[rim : PIXELS - rim, rim : PIXELS - rim]


def _lit(grey: np.ndarray) -> np.ndarray:
    return ((grey >= LIT[0]) & (grey <= LIT[1])).astype(np.float32)


def _detail(grey: np.ndarray, blurs: tuple[float, float]) -> np.ndarray:
    fine, coarse = (cv2.GaussianBlur(grey.astype(np.float32), (0, 0), blur) for blur in blurs)
    detail = fine - coarse
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), blurs[1])) + FLOOR))


def _seen(detail: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # (M, SIDE, SIDE) places > (M, SIDE**2) values there.
    seen = cv2.remap(np.ascontiguousarray(detail), x.reshape(-1, SIDE), y.reshape(-1, SIDE),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    seen = seen.reshape(len(x), -1)
    seen = seen - seen.mean(axis=1, keepdims=True)
    return np.asarray(seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-3))


def _moves() -> list[tuple[float, float, float, float]]:
    return list(product(SCALES, SHIFTS, SHIFTS, TURNS))  # the middle one moves nothing


def _move(framing: int) -> tuple[np.ndarray, bool]:
    """(2, 3) float32 map from a look's pixels to the picture's in a framing; is it mirrored?"""
    scale, right, down, turn = _moves()[framing % len(_moves())]
    cosine, sine, middle = scale * np.cos(turn), scale * np.sin(turn), (PIXELS - 1) / 2
    turned = np.array([[cosine, -sine], [sine, cosine]])
    shift = middle + np.array([right, down]) - turned @ [middle, middle]
    return np.column_stack([turned, shift]).astype(np.float32), framing >= len(_moves())


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
