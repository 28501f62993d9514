"""Any person's video as the line's own clips are: so many frames a second, no needless pixels."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.media.video import Frames, decoded, frame_rate, unreadable

SHORT_SIDE = 480  # px: faces are cropped to far fewer; a minute of it fits into memory
LONGEST = 60  # seconds
FASTEST = 1000  # frames a second, a high-speed camera's: more would be decoded in vain


def read_footage(video: Path, fps: int) -> Frames:
    """(T, H, W, 3) uint8 RGB frames of a video file, `fps` of them a second.

    Larger pictures are scaled to a short side of SHORT_SIDE px. Raises ClipError when the file
    cannot be read or lasts longer than LONGEST seconds.
    """
    if not video.is_file():
        raise ClipError(f"{video} is missing")
    try:
        frames = list(islice(_sampled(video, fps), LONGEST * fps + 1))
    except (OSError, ValueError, RuntimeError, IndexError) as error:
        raise unreadable(video, error) from error
    if not frames:
        raise ClipError(f"{video} holds no frame")
    if len(frames) > LONGEST * fps:
        raise ClipError(f"{video} lasts longer than {LONGEST} s; cut out the part of interest")
    return np.stack(frames)


def _sampled(video: Path, fps: int) -> Iterator[np.ndarray]:
    # ffmpeg's own `-r` gives the first frames at the wrong times (seen with 16 and 24 a second).
    rate = frame_rate(video)
    if not 0 < rate <= FASTEST:
        raise ClipError(f"{video} claims {rate:g} frames a second; it takes 1 to {FASTEST}")
    step = rate / fps
    taken = 0
    for index, frame in enumerate(decoded(video)):
        while int(taken * step + 1e-6) == index:
            taken += 1
            yield scaled(frame)


def scaled(frame: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) with a short side of at most SHORT_SIDE px."""
    scale = SHORT_SIDE / min(frame.shape[:2])
    if scale >= 1:
        return np.asarray(frame)
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
