"""The part of a film that shows the face: lit, upright, from the first frame with a face on."""

from dataclasses import dataclass

import numpy as np

from pipeline.errors import ClipError
from pipeline.faces.detect import Detector
from pipeline.faces.quality import BLANK, to_grey
from pipeline.faces.upright import set_upright
from pipeline.media.video import Frames

# Of the film's median spread of grey values; a fade ends above. Of 121 rendered clips no frame
# has less than 0.90.
FADED = 0.8


@dataclass(frozen=True)
class Shown:
    """`frames` (T, H, W, 3) uint8, upright: those from `first` to before `end` of the film.

    `notes` are sentences on what was left out or turned.
    """

    frames: Frames
    first: int
    end: int
    notes: tuple[str, ...]


def lit_part(frames: Frames) -> tuple[int, int]:
    """[first, end) of (T, H, W, 3) uint8 frames between a blank or faded start and end.

    The whole film when nothing in it is lit: what follows says so.
    """
    return lit_span(to_grey(frames).std(axis=(1, 2)))


def lit_span(spread: np.ndarray) -> tuple[int, int]:
    """[first, end) of the frames that are lit, by the spread (T,) of each one's grey values."""
    usual = float(np.median(spread[spread >= BLANK])) if (spread >= BLANK).any() else 0.0
    lit = np.flatnonzero(spread >= max(BLANK, FADED * usual))
    return (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, len(spread))


def shown_part(frames: Frames, detector: Detector, name: str) -> Shown:
    """What of a film is to be looked at; `name` says whose. ClipError when no face is in it."""
    first, end = lit_part(frames)
    kept, note = set_upright(frames[first:end], (0, (end - first) // 2, end - first - 1))
    start = first_face(kept, detector, name)
    notes = [note] if note else []
    if first + start or end < len(frames):
        notes.append(used(name, first + start, end, len(frames)))
    return Shown(kept[start:], first + start, end, tuple(notes))


def used(name: str, first: int, end: int, count: int) -> str:
    """The sentence that says which of a film's `count` frames are looked at."""
    return (
        f"{name}: frames {first} to {end - 1} of {count} are used; the others are black, faded or "
        "without a face"
    )


def first_face(frames: Frames, detector: Detector, name: str) -> int:
    """The number of the first frame that shows a face; ClipError when none does."""
    for number, frame in enumerate(frames):
        if len(detector.find(frame)):
            return number
    raise faceless(name)


def faceless(name: str) -> ClipError:
    """No frame of a film shows a face."""
    return ClipError(
        f"no face was found in {name}; show one person, facing the camera at first, well lit"
    )
