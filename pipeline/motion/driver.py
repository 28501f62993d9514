"""A driving film of any length, looked at frame by frame: what remains are its key points.

Sixty numbers a frame are all that portraits need of it, so ten minutes take no more memory than two
seconds, and any number of portraits share one look.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

import fomm
from fomm.model import BATCH
from pipeline.errors import ClipError
from pipeline.faces.detect import find_weights, neutral_box, weights_folder
from pipeline.faces.framing import face_finder, face_view, seen_through
from pipeline.faces.quality import Rejected, to_grey
from pipeline.faces.shown import faceless, lit_span, used
from pipeline.faces.upright import turns_needed
from pipeline.media.films import Film, open_film, steady_frames
from pipeline.media.footage import scaled
from pipeline.media.video import Frames
from pipeline.motion.reference import Points
from pipeline.motion.shots import Shots

FASTEST = 25  # frames a second: smooth to the eye, and no frame costs time in vain
LONGEST = 3600  # seconds
SHORT = 60  # seconds: landmarks of each frame take a third of a second, key points do not
Say = Callable[[str, int, int], None]  # what is done, of how many frames it is through


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Driver:
    """`points` (T rows) of a film's framed frames at `fps`, and sentences on what was chosen.

    `landmarks` (T, 68, 2) px where published weights are at hand and the film is short; else None.
    """

    name: str
    fps: int
    points: fomm.KeyPoints
    landmarks: Points | None
    notes: tuple[str, ...]


def read_driver(
    driving: Path, model: fomm.MotionModel, relative: bool, say: Say = silent
) -> Driver:
    """Look through a film twice: where it shows a face, then how that face moves.

    Raises ClipError for what is no film, one of a single frame or more than LONGEST seconds, and
    one that shows no face, several, a cut, or a face that leaves the view.
    """
    film = open_film(driving)
    fps = film_rate(film)
    first, end, count = _lit(film, fps)
    turns, note = turns_needed(_looks(film, fps, (first, (first + end) // 2, end - 1)))
    shown = (np.rot90(f, turns) for f in islice(_frames(film, fps), first, end))
    start, frames = _from_face((np.ascontiguousarray(f) for f in shown), driving.name)
    start += first
    if end - start < 2:
        raise ClipError("the driving clip has one frame; motion needs two or more")
    notes = [note] if note else []
    if start or end < count:
        notes.append(used(driving.name, start, end, count))
    marks = _landmarks(relative and end - start <= SHORT * fps)
    shots, size = Shots(driving.name, fps, start), model.config.size
    points, found = [], []
    for batch in _batches(_framed(frames, size)):
        shots.look(batch)
        points.append(model.keypoints(batch))
        if marks:
            found += [marks(frame) for frame in batch]
        say(f"{driving.name} is looked at", sum(map(len, points)), end - start)
    shots.end()
    landmarks = np.stack(found) if found else None
    return Driver(driving.name, fps, fomm.KeyPoints.cat(points), landmarks, tuple(notes))


def film_rate(film: Film) -> int:
    """The film's own frames a second, as far as they are of use; FASTEST where it names none."""
    return int(np.clip(round(film.rate or FASTEST), 1, FASTEST))


def face_landmarks(face: np.ndarray) -> np.ndarray | None:
    """(68, 2) px of a framed face by published weights; None where they are not at hand."""
    marks = _landmarks(True)
    return marks(face) if marks else None


def _frames(film: Film, fps: int) -> Iterator[np.ndarray]:
    most = LONGEST * fps + 1
    for number, frame in enumerate(steady_frames(film, fps, most), start=1):
        if number == most:
            raise ClipError(f"{film.path} lasts longer than {LONGEST} s; cut out one part")
        yield scaled(frame)


def _lit(film: Film, fps: int) -> tuple[int, int, int]:
    """[first, end) of the lit frames, and how many there are."""
    spread = [float(to_grey(frame[None]).std()) for frame in _frames(film, fps)]
    return *lit_span(np.array(spread)), len(spread)


def _looks(film: Film, fps: int, numbers: Iterable[int]) -> Iterator[np.ndarray]:
    """Some frames, each decoded only when it is asked for: the first mostly is enough."""
    for number in numbers:
        yield from islice(_frames(film, fps), number, number + 1)


def _from_face(frames: Iterator[np.ndarray], name: str) -> tuple[int, Iterator[np.ndarray]]:
    """The number of the first frame that shows a face, and the frames from there on."""
    finder = face_finder()
    for number, frame in enumerate(frames):
        if len(finder.find(frame)):
            return number, _led(frame, frames)
    raise faceless(name)


def _led(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


def _framed(frames: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """As pipeline.faces.framing.frame_clip: one standing view, from the first frame's face."""
    first = next(frames)
    try:
        view = face_view(first, size)
    except Rejected as error:
        raise ClipError(f"the driving clip cannot be framed: {error}") from error
    for frame in _led(first, frames):
        yield seen_through(frame, view, size)


def _batches(frames: Iterator[np.ndarray]) -> Iterator[Frames]:
    while batch := list(islice(frames, BATCH)):
        yield np.stack(batch)


def _landmarks(asked: bool) -> Callable[[np.ndarray], np.ndarray] | None:
    weights = find_weights(weights_folder()) if asked else {}
    if not weights:
        return None
    from pipeline.faces.alignment import AlignmentDetector  # torch and numba: seconds

    detector = AlignmentDetector(weights)
    return lambda frame: detector.landmarks(frame, neutral_box(detector, frame))[0]
