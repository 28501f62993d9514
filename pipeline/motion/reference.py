"""Which driving frame shows what the portrait shows: relative motion is counted from there.

Siarohin et al. 2019 move the portrait by the change since one driving frame, and take the first;
when that one is not neutral, the whole clip is distorted.
"""

from dataclasses import dataclass

import numpy as np

from fomm.keypoints import hull_area
from pipeline.errors import ClipError

Points = np.ndarray  # (T, P, 2), in any unit

NEARER = 0.7  # of frame 0's distance: on 114 rendered clips that start neutral 1-2 % lie below


@dataclass(frozen=True)
class Reference:
    """The driving frame to count motion from, and why."""

    frame: int
    because: str


def shape_distance(portrait: np.ndarray, driving: Points) -> np.ndarray:
    """Squared distance (T,) of each driving face (T, P, 2) from the portrait's shape (P, 2).

    Place and size do not count: points are centred and divided by the root of their hull's area.
    """
    offset = _normal(driving) - _normal(portrait[None])
    return np.asarray(np.square(offset).sum(axis=(-2, -1)))


def choose_reference(portrait: np.ndarray, driving: Points) -> Reference:
    """Frame 0 when it is as neutral as the portrait, else the frame most like the portrait."""
    distance = shape_distance(portrait, driving)
    best = int(distance.argmin())
    if distance[best] > NEARER * distance[0]:
        return Reference(0, "frame 0 is neutral: no other is much more like the portrait")
    share = distance[best] / distance[0]
    return Reference(
        best, f"frame 0 is not neutral: frame {best} is at {share:.0%} of its distance from the "
        "portrait",
    )  # fmt: skip


def _normal(points: Points) -> Points:
    centred = points - points.mean(axis=1, keepdims=True)
    area = np.array([hull_area(face) for face in centred])
    if not (area > 0).all():
        raise ClipError("the points of a face fall together; is a face in every frame?")
    return np.asarray(centred / np.sqrt(area)[:, None, None])
