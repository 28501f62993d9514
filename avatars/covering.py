"""Which landmarks lie behind something opaque that is worn."""

import numpy as np

from avatars import landmarks, raster
from avatars.occluders import CLEAR
from avatars.person import Posed
from avatars.raster import View

_SLACK = 0.002  # m: what lies on the skin hides it, even where it sinks in a little


def hidden(view: View, posed: Posed) -> np.ndarray:
    """(68,) whether an opaque worn part stands before each landmark; clear ones hide nothing."""
    solid = [part for part in view.parts if part.texture is None and part.material not in CLEAR]
    if not solid:
        return np.zeros(landmarks.COUNT, dtype=bool)
    return raster.hidden(view._replace(parts=solid), posed.landmarks, -_SLACK)
