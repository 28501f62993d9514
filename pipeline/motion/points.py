"""Where the motion model sees a portrait's key points, and how far that is to be trusted.

Two witnesses: landmarks, looked for in several boxes, and the model itself, asked about the same
picture shifted, scaled and mirrored. On 14 rendered stills the model was 0.0 to 4.8 px from the
truth and our own landmarks 0.1 to 21, so landmarks count only where they agree with themselves and
the model does not.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

import fomm
from fomm.supervision import POINTS
from pipeline.faces.framing import face_box
from pipeline.faces.upright import Judge

OFF = 6.0  # px at SIDE: a point farther from its landmark is looked at again
# px at SIDE that the model may stray under its five views: 4.3 at most on 30 rendered stills, 1.5
# on the photograph; with a covered mouth 17 and more. Below, its point stays.
STRAYS = 6.0
SURE = 2.5  # px at SIDE that landmarks may stray between boxes to be taken instead
SIDE = 128
_VIEWS = ((0, 0, 1.0, False), (0, 0, 1.0, True), (4, 0, 1.06, False), (-4, 3, 0.94, False),
          (0, -4, 1.1, True))  # px right and down at SIDE, zoom, mirrored  # fmt: skip
_BOXES = ((0.0, 0.0, 1.0), (0.03, 0.0, 1.08), (-0.03, 0.02, 0.94), (0.0, -0.03, 1.15))
_NAMES = list(POINTS)
_MIRRORED = [
    _NAMES.index(name.replace("left", "!").replace("right", "left").replace("!", "right"))
    for name in _NAMES
]


@dataclass(frozen=True)
class Sighting:
    """Of K points in px at SIDE: their `place` (K, 2) and how far it `strays` (K,) over looks."""

    place: np.ndarray
    strays: np.ndarray


@dataclass(frozen=True)
class Placed:
    """`points` to perform with, and of each name in `replaced`, `lost` and `off` what was found.

    `replaced` come from landmarks, `lost` neither witness places; `off` px between the two.
    """

    points: fomm.KeyPoints
    replaced: tuple[str, ...]
    lost: tuple[str, ...]
    off: dict[str, float]
    strays: dict[str, float]


def place_points(
    model: fomm.MotionModel, still: np.ndarray, points: fomm.KeyPoints, judge: Judge | None
) -> Placed:
    """The model's `points` (1, K, 2) of a framed still (S, S, 3) uint8, weighed and put right.

    Without a judge the model is the only witness.
    """
    own = Sighting(_px(points)[0], model_sighting(model, still).strays)
    marks = landmark_sighting(still, judge, own.place) if judge else None
    off = np.linalg.norm(own.place - marks.place, axis=-1) if marks else np.zeros(len(own.place))
    sure = marks.strays <= SURE if marks else np.zeros(len(off), dtype=bool)
    doubted = own.strays > STRAYS
    taken = doubted & sure & (off > OFF)
    lost = doubted & ~sure  # a doubted point that sure landmarks confirm stays
    put = marks.place if marks else own.place
    return Placed(
        points=_exchanged(points, put, taken),
        replaced=_named(taken),
        lost=_named(lost),
        off=_figures(off),
        strays=_figures(own.strays),
    )


def _named(which: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, there in zip(_NAMES, which, strict=True) if there)


def _figures(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 1) for name, value in zip(_NAMES, values, strict=True)}


def model_sighting(model: fomm.MotionModel, still: np.ndarray) -> Sighting:
    """The model's points in five views of a still (S, S, 3) uint8, brought back onto it."""
    maps = [_view(right, down, zoom) for right, down, zoom, _ in _VIEWS]
    size = still.shape[0]
    pictures = []
    for around, (*_, mirrored) in zip(maps, _VIEWS, strict=True):
        whole = around * np.array([1, 1, size / SIDE])
        seen = cv2.warpAffine(still, whole, (size, size), borderMode=cv2.BORDER_REPLICATE)
        pictures.append(seen[:, ::-1] if mirrored else seen)
    found = _px(model.keypoints(np.stack(pictures)))
    back = [
        _returned(one, around, mirrored)
        for one, around, (*_, mirrored) in zip(found, maps, _VIEWS, strict=True)
    ]
    return _sighting(np.stack(back))


def landmark_sighting(still: np.ndarray, judge: Judge, near: np.ndarray) -> Sighting:
    """Landmarks' means as fomm.supervision.POINTS has them, of a framed still (S, S, 3) uint8.

    One box is enough where they lie within OFF of the points `near` (K, 2); else four are asked.
    """
    looks: list[np.ndarray] = []
    for box in _boxes(still.shape[0]):
        marks = judge.landmarks(still, box)[0] * SIDE / still.shape[0]
        looks.append(np.stack([marks[rows].mean(axis=0) for rows in POINTS.values()]))
        if len(looks) == 1 and (np.linalg.norm(looks[0] - near, axis=-1) <= OFF).all():
            break
    return _sighting(np.stack(looks))


def _sighting(looks: np.ndarray) -> Sighting:
    middle = np.median(looks, axis=0)
    return Sighting(middle, np.linalg.norm(looks - middle, axis=-1).max(axis=0))


def _boxes(size: int) -> list[np.ndarray]:
    left, top, right, bottom = face_box(size)
    boxes = []
    for across, down, zoom in _BOXES:
        half = zoom * (right - left) / 2
        x, y = (left + right) / 2 + across * size, (top + bottom) / 2 + down * size
        boxes.append(np.array([x - half, y - half, x + half, y + half]))
    return boxes


def _view(right: float, down: float, zoom: float) -> np.ndarray:
    """(2, 3) map that zooms about the middle of SIDE px and shifts."""
    rest = (1 - zoom) * (SIDE - 1) / 2
    return np.array([[zoom, 0, rest + right], [0, zoom, rest + down]])


def _returned(points: np.ndarray, around: np.ndarray, mirrored: bool) -> np.ndarray:
    if mirrored:
        points = (points * [-1, 1] + [SIDE, 0])[_MIRRORED]
    return np.asarray((points - 0.5 - around[:, 2]) / around[0, 0] + 0.5)


def _px(points: fomm.KeyPoints) -> np.ndarray:
    """[-1, 1], at the outer pixels' centres, as px at SIDE from the corner."""
    return np.asarray((points.value.cpu().numpy() + 1) / 2 * (SIDE - 1) + 0.5, dtype=np.float64)


def _exchanged(points: fomm.KeyPoints, put: np.ndarray, taken: np.ndarray) -> fomm.KeyPoints:
    """Only the taken points move: what the model placed stays bit for bit."""
    if not taken.any():
        return points
    value, jacobian = points.value.clone(), points.jacobian.clone()
    rows = torch.from_numpy(np.flatnonzero(taken))
    unit = 2 * (put[taken] - 0.5) / (SIDE - 1) - 1
    value[0, rows] = torch.from_numpy(unit).to(value)
    # A frame read at the wrong place says nothing; relative motion cancels the source's anyway.
    jacobian[0, rows] = torch.eye(2).to(jacobian)
    return replace(points, value=value, jacobian=jacobian)
