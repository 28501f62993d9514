"""Any person's video as the line's own clips are: so many frames a second, no needless pixels."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.media.films import open_film, steady_frames
from pipeline.media.video import Frames

SHORT_SIDE = 480  # px: faces are cropped to far fewer; a minute of it fits into memory
LONGEST = 60  # seconds
ENDLESS = 2**31 - 1  # frames: ffmpeg's own limit


def read_footage(video: Path, fps: int) -> Frames:
    """(T, H, W, 3) uint8 RGB frames of a video file, `fps` of them a second.

    Larger pictures are scaled to a short side of SHORT_SIDE px. Raises ClipError when the file
    cannot be read or lasts longer than LONGEST seconds.
    """
    most = LONGEST * fps + 1
    frames = [scaled(frame) for frame in steady_frames(open_film(video), fps, most)]
    if len(frames) == most:
        raise ClipError(f"{video} lasts longer than {LONGEST} s; cut out the part of interest")
    return np.stack(frames)


def stream_footage(video: Path, fps: int) -> Iterator[np.ndarray]:
    """As `read_footage`, frame after frame of a film of any length; one is held at a time."""
    return (scaled(frame) for frame in steady_frames(open_film(video), fps, ENDLESS))


def scaled(frame: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) with a short side of at most SHORT_SIDE px."""
    scale = SHORT_SIDE / min(frame.shape[:2])
    if scale >= 1:
        return np.asarray(frame)
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
