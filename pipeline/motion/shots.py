"""Does a driving film stay with one face? A cut or a face that leaves the view ruins what follows.

Relative motion counts everything from one frame, and the view stands where its face was.
"""

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.faces.quality import CUT
from pipeline.faces.upright import own_judge
from pipeline.media.video import Frames

# Mean change of colour in levels between two frames of THUMB px: 60 cuts from person to person have
# 22 and more, 60 clips of one person 20 at most; and a cut stands between two calm steps.
JUMP = 18.0
SPIKE = 3.0  # times the larger of its neighbours
THUMB = 16
OFTEN = 4  # looks for the face a second
GONE = 2  # looks in a row without it


class Shots:
    """Looks at a film's framed frames batch by batch; ClipError in one sentence when it fails."""

    def __init__(self, name: str, fps: int, first: int) -> None:
        self._name, self._fps, self._first = name, fps, first
        self._every = max(1, fps // OFTEN)
        self._judge = own_judge()
        self._last: np.ndarray | None = None
        self._steps: list[float] = []
        self._number = 0
        self._missed: list[int] = []

    def look(self, frames: Frames) -> None:
        """The next frames (T, S, S, 3) uint8."""
        for frame in frames:
            self._step(frame)
            if self._judge and self._number % self._every == 0:
                self._face(frame)
            self._number += 1

    def end(self) -> None:
        """After the last frame."""
        if len(self._steps) > 1:
            self._spike(self._steps[-2], self._steps[-1], 0.0, self._number - 1)

    def _step(self, frame: np.ndarray) -> None:
        thumb = cv2.resize(frame, (THUMB, THUMB), interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._last is not None:
            self._steps = [*self._steps[-2:], float(np.abs(thumb - self._last).mean())]
            if len(self._steps) == 2 and self._number == 2:
                self._spike(0.0, self._steps[0], self._steps[1], 1)
            elif len(self._steps) == 3:
                before, at, after = self._steps
                self._spike(before, at, after, self._number - 1)
        self._last = thumb

    def _spike(self, before: float, at: float, after: float, number: int) -> None:
        """`number` is the frame that the step `at` leads to."""
        if at > JUMP and at > SPIKE * max(before, after):
            raise ClipError(
                f"{self._name} has a cut at {self._when(number)}; motion is counted through the "
                "whole film, so cut out one shot"
            )

    def _face(self, frame: np.ndarray) -> None:
        assert self._judge is not None
        boxes, size = self._judge.boxes(frame), frame.shape[0]
        if len(boxes) and _outside(boxes[0], size) <= CUT:
            self._missed = []
            return
        self._missed.append(self._number)
        if len(self._missed) >= GONE:
            raise ClipError(
                f"the face leaves the view of {self._name} at {self._when(self._missed[0])}; the "
                "view stands where the face was at first, so keep the head near it, or cut the "
                "film there"
            )

    def _when(self, number: int) -> str:
        number += self._first
        return f"frame {number} ({number / self._fps:.1f} s)"


def _outside(box: np.ndarray, size: int) -> float:
    """The share of a box (4,) px that the border of a picture of `size` px cuts off a side."""
    left, top, right, bottom = box
    return float(max(-left, -top, right - size, bottom - size) / (right - left))
