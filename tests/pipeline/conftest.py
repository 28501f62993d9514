from collections.abc import Callable

import cv2
import numpy as np
import pytest
from skimage import data

from pipeline.video import Frames


@pytest.fixture(scope="session")
def astronaut() -> Callable[..., Frames]:
    """A clip of a real face (NASA, public domain): the window over the photograph moves and zooms.

    At its turning point the face stands `right`, `down` px from where it started, `zoom` larger.
    """
    photograph = data.astronaut()

    def clip(right=8.0, down=0.0, zoom=0.0, frames=16, size=128, width=360.0) -> Frames:
        made = []
        for phase in np.sin(np.pi * np.linspace(0, 1, frames)):
            scale = size / width * (1 + zoom * phase)
            moved = np.array([size / 2 + right * phase, size / 2 + down * phase])
            view = np.column_stack([np.eye(2) * scale, moved - scale * np.array([220, 175])])
            made.append(cv2.warpAffine(photograph, view, (size, size), flags=cv2.INTER_AREA))
        return np.stack(made)

    return clip
