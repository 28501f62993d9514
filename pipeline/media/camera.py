"""A camera of this machine as the line's own clips are: so many frames a second, RGB, small."""

import re
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.media.footage import scaled
from pipeline.media.video import Frames

NAME = re.compile(r"camera(?::(\d+))?")  # `camera` is the first one
WARMING = 10  # pictures left out first: cameras open dark and out of focus
Read = Callable[[], tuple[bool, np.ndarray]]  # what cv2.VideoCapture.read does


class StoppedError(ClipError):
    """A camera gives no more pictures."""


def camera_number(name: str) -> int | None:
    """2 for `camera:2`, 0 for `camera`, None where `name` is no camera's."""
    found = NAME.fullmatch(name)
    return int(found[1] or 0) if found else None


def read_camera(number: int, fps: int, seconds: float, clock: Callable[[], float]) -> Frames:
    """(T, H, W, 3) uint8 RGB: what a camera sees for so many seconds, `fps` pictures of each.

    `clock` gives seconds. Raises ClipError when the camera does not open or stops.
    """
    capture = cv2.VideoCapture(number)
    try:
        if not capture.isOpened():
            raise ClipError(
                f"camera {number} does not open; plug it in, close what else uses it, or name "
                "another one, such as camera:1"
            )
        return np.stack(list(sampled(capture.read, fps, max(1, round(seconds * fps)), clock)))
    finally:
        capture.release()


def live(
    source: str, fps: int, count: int, clock: Callable[[], float]
) -> Iterator[tuple[float, Frames]]:
    """Stretch after stretch of `count` frames: seconds since the start, (count, H, W, 3) uint8 RGB.

    `source` is a camera's number, or a film's file in its place: that ends with the film and is
    timed by it. What the camera shows while a stretch is being looked at is not seen, so that an
    answer is never late by more than one stretch. Raises ClipError when the source does not open or
    a camera stops.
    """
    film = not source.isdigit()
    capture = cv2.VideoCapture(source if film else int(source))
    tick = (lambda: capture.get(cv2.CAP_PROP_POS_MSEC) / 1000) if film else clock
    try:
        if not capture.isOpened():
            raise ClipError(
                f"the camera source {source} does not open; name a camera by its number, such as "
                "0, or a film's file"
            )
        begun = tick()
        while True:
            since = tick() - begun
            try:
                yield since, np.stack(list(sampled(capture.read, fps, count, tick)))
            except StoppedError:
                if film:
                    return
                raise
    finally:
        capture.release()


def sampled(read: Read, fps: int, count: int, clock: Callable[[], float]) -> Iterator[np.ndarray]:
    """`count` pictures of `read` (BGR), each the first at or after its time.

    A camera slower than `fps` gives some twice; one that stops raises ClipError.
    """
    for _ in range(WARMING):
        _picture(read)
    begun, taken = clock(), 0
    while taken < count:
        picture = scaled(cv2.cvtColor(_picture(read), cv2.COLOR_BGR2RGB))
        due = int((clock() - begun) * fps + 1e-6) + 1  # pictures by now
        for _ in range(taken, min(due, count)):
            yield picture
        taken = max(taken, min(due, count))


def _picture(read: Read) -> np.ndarray:
    there, picture = read()
    if not there:
        raise StoppedError("the camera stopped giving pictures; check its cable and try again")
    return picture
