"""Which way up a face is, and whether it is one: by landmarks, where a cascade errs.

A cascade finds an upside-down face less often, and takes other things for faces. Our own FAN
(docs/decisions/face-networks.md) was taught upright faces alone, so its heat maps peak highest the
right way up: on 12 frames of rendered clips by 0.12 and more, on 15 real faces of 25 px by 0.05
and more, but for three (0.04, 0.01, -0.04). Sixteen clips turned each way came out upright.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.faces.detect import OWN, Detector, HaarDetector, find_weights
from pipeline.store.threads import one_thread

EVIDENT = 0.66  # of peak height: upright without a doubt; the wrong way up reached 0.62
CLEAR = 0.08  # of peak height: a lead that needs no second look
SURE = 0.05  # of peak height: a lead on which a picture is turned
TILT = 45.0  # degrees that eyes may be off level, and the mouth off straight below them
APART = (0.4, 2.5)  # of the eyes' distance: from the eyes to the mouth
SIDE = 480  # px of the short side that is looked at
LOOKED = 2  # boxes of each detector, largest first


class Judge:
    """Says how much a picture looks like an upright face."""

    def __init__(self, weights: dict[str, Path]) -> None:
        from pipeline.faces.alignment import (  # torch: seconds, if not needed
            SEEN,
            AlignmentDetector,
        )

        with one_thread():
            self._networks, self._seen = AlignmentDetector(weights), SEEN
        self._cascade = HaarDetector()

    def is_face(self, picture: np.ndarray, box: np.ndarray) -> bool:
        """Whether the box (4,) px of an (H, W, 3) uint8 picture holds an upright face."""
        return self._height(picture, box) >= self._seen

    def likeness(self, picture: np.ndarray) -> tuple[float, float]:
        """The mean peak of the heat maps, 0 to 1, of the likeliest upright face; 0 for none.

        Second the highest peak of any face, whether its landmarks are plausible or not.
        """
        height, peak = 0.0, 0.0
        for detector in (self._networks, self._cascade):  # which finds smaller faces
            with one_thread():
                boxes = detector.find(picture)[:LOOKED] if height < self._seen else ()
            for box in boxes:
                points, found = self.landmarks(picture, box)
                peak = max(peak, found)
                height = max(height, found if plausible(points) else 0.0)
        return height, peak

    def landmarks(self, picture: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        """(68, 2) iBUG landmarks px of the face in a box (4,) px, and the mean of their peaks."""
        with one_thread():
            return self._networks.landmarks(picture, box)

    def boxes(self, picture: np.ndarray) -> np.ndarray:
        """(N, 4) px boxes of faces by the networks alone, largest first; quick, seldom misled."""
        with one_thread():
            return self._networks.find(picture)

    def _height(self, picture: np.ndarray, box: np.ndarray) -> float:
        points, height = self.landmarks(picture, box)
        return height if plausible(points) else 0.0


class Checked:
    """A detector whose finds are faces by landmarks too; all of them without a judge."""

    def __init__(self, detector: Detector, judge: Judge | None) -> None:
        self._detector, self._judge = detector, judge

    def find(self, frame: np.ndarray) -> np.ndarray:
        boxes = self._detector.find(frame)
        if self._judge is None:
            return boxes
        kept = [self._judge.is_face(frame, box) for box in boxes]
        return boxes[np.array(kept, dtype=bool)]

    def follow(self, frames: np.ndarray, box: np.ndarray) -> np.ndarray:
        return self._detector.follow(frames, box)


def own_judge(folder: Path = OWN) -> Judge | None:
    """The judge by our own networks, loaded once; None where a clone does not hold them."""
    weights = find_weights(folder.resolve())
    return _judge(tuple(weights.items())) if weights else None


@lru_cache(maxsize=1)  # by whole paths: the same relative one is another file elsewhere
def _judge(weights: tuple[tuple[str, Path], ...]) -> Judge:
    return Judge(dict(weights))


def plausible(points: np.ndarray) -> bool:
    """Whether (68, 2) iBUG landmarks px are of an upright face: eyes level, the mouth below."""
    eyes, mouth = points[36:48].mean(axis=0), points[48:68].mean(axis=0)
    across = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    down = mouth - eyes
    level = abs(np.degrees(np.arctan2(across[1], across[0])))
    straight = abs(np.degrees(np.arctan2(down[0], down[1])))
    apart = np.linalg.norm(down) / max(float(np.linalg.norm(across)), 1e-6)
    return bool(level <= TILT and straight <= TILT and APART[0] <= apart <= APART[1])


def quarter_turns(pictures: Iterable[np.ndarray], judge: Judge) -> int:
    """How many quarters (np.rot90) set (H, W, 3) uint8 pictures of one face upright: 0 to 3.

    They are looked at in their order until one way up leads clearly. What lies as it is stays,
    unless another way up has higher peaks than any that it has, plausible or not.
    """
    total, lying = np.zeros(4), 0.0
    for count, picture in enumerate(pictures, start=1):
        views = [np.ascontiguousarray(np.rot90(_small(picture), k)) for k in range(4)]
        upright, peak = judge.likeness(views[0])
        lying += peak
        if count == 1 and upright >= EVIDENT:
            return 0
        total += [upright, *(judge.likeness(view)[0] for view in views[1:])]
        best = int(total.argmax())
        if total[best] - np.delete(total, best).max() >= CLEAR * count:
            break
    return best if total[best] - max(total[0], lying) > SURE * count else 0


def set_upright(frames: np.ndarray, looks: Sequence[int]) -> tuple[np.ndarray, str | None]:
    """(T, H, W, 3) uint8 frames turned upright, and what was done, to be told; None: nothing.

    `looks` are the numbers of the frames to judge by.
    """
    turns, note = turns_needed(frames[number] for number in looks)
    if not turns:
        return frames, note
    return np.ascontiguousarray(np.rot90(frames, turns, axes=(1, 2))), note


def turns_needed(pictures: Iterable[np.ndarray]) -> tuple[int, str | None]:
    """The quarters that set pictures of one film upright, and what is to be told; None: nothing."""
    judge = own_judge()
    if judge is None:
        return 0, f"the way up was not judged: {OWN}/ holds no whole set of weights"
    turns = quarter_turns(pictures, judge)
    if not turns:
        return 0, None
    lay = ("", "on its side", "upside down", "on its side")[turns]
    return turns, f"the picture lies {lay}, by the landmarks of the face; it was turned upright"


def upright_picture(picture: np.ndarray) -> tuple[np.ndarray, str | None]:
    """As `set_upright`, of one (H, W, 3) uint8 picture."""
    frames, note = set_upright(picture[None], (0,))
    return frames[0], note


def _small(picture: np.ndarray) -> np.ndarray:
    scale = SIDE / min(picture.shape[:2])
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
