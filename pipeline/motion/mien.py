"""What a face shows by its ten key points: a smile, shut eyes, an open mouth, a turned head.

Bounds are those of 636 neutral frames of rendered clips, with what was measured beside each.
"""

from dataclasses import dataclass

import numpy as np

from fomm.supervision import POINTS
from pipeline.motion.fidelity import openings

SHUT = 0.03  # of the face's height between lids; neutral eyes 0.050 and more, shut 0.013 at most
OPEN = 0.04  # of the same between the lips; neutral 0.032 at most as read, parted 0.064 and more
SMILING = 0.03  # of the eyes' distance that lip corners rise above the upper lip; neutral 0.028
TURNED = 0.15  # of the eyes' distance that the nose stands aside; neutral 0.131 at most
# Neutral to 0.131; heads turned by 30 to 40 degrees have 0.13 to 0.52, half of them above 0.32.
AWAY = 0.42
NARROW = 0.3  # turned farther, lids look narrow: whether they are shut is not to be told


@dataclass(frozen=True)
class Mien:
    """Measures of one face, in the units of the bounds above; `turn` is + to the own left."""

    eyes: float
    lips: float
    corners: float
    turn: float

    @property
    def shut(self) -> bool:
        """Are the eyes shut?"""
        return self.eyes < SHUT and abs(self.turn) < NARROW

    @property
    def away(self) -> bool:
        """Is the head turned so far that half of the face is hidden?"""
        return abs(self.turn) > AWAY

    def shows(self) -> tuple[str, ...]:
        """What is not at rest, in words; empty for a neutral face."""
        side = "own left" if self.turn > 0 else "own right"
        told = {
            "shut eyes": self.shut,
            "an open mouth": self.lips > OPEN,
            "a smile": self.corners > SMILING,
            f"a head turned to its {side}": abs(self.turn) > TURNED,
        }
        return tuple(name for name, there in told.items() if there)

    def row(self) -> dict[str, float]:
        """The measures, to three places, for a record."""
        return {name: round(value, 3) for name, value in vars(self).items()}


def read_mien(points: np.ndarray) -> Mien:
    """The mien of one face's key points (K, 2), in any unit, in fomm.supervision.POINTS' order."""
    at = dict(zip(POINTS, points, strict=True))
    found = openings(points[None])
    corners = (at["right mouth corner"] + at["left mouth corner"]) / 2
    apart = np.linalg.norm(at["left lower lid"] - at["right lower lid"])
    rise = float((at["upper lip"] - corners)[1] / apart)
    return Mien(float(found["eyes"][0]), float(found["lips"][0]), rise, float(found["turn"][0]))
