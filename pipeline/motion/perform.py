"""Portrait files perform a video file: the transfer stage's work on anybody's files.

The film is looked at once for all portraits, and what each performs comes out batch by batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fomm
from pipeline.errors import ClipError, PallorError
from pipeline.faces.framing import frame_face
from pipeline.faces.upright import upright_picture
from pipeline.files import file_digest
from pipeline.media.films import open_film
from pipeline.media.pictures import read_picture
from pipeline.media.video import LARGEST, Frames
from pipeline.motion.check import Checked, check_portrait, choose_start
from pipeline.motion.driver import Driver, Say, face_landmarks, read_driver, silent
from pipeline.motion.engine import engine
from pipeline.motion.mien import read_mien
from pipeline.motion.reference import Reference, choose_reference
from pipeline.params import TransferParams


@dataclass(frozen=True)
class Performed:
    """`frames` (T, S, S, 3) uint8 RGB at `fps`, and what was chosen on the way, with reasons."""

    frames: Frames
    fps: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Performance:
    """One portrait about to perform: `count` frames at `fps`; `record` is what was done."""

    portrait: Path
    count: int
    fps: int
    notes: tuple[str, ...]
    record: dict[str, Any]
    _model: fomm.MotionModel
    _face: fomm.Portrait
    _rows: fomm.KeyPoints
    _how: TransferParams

    def frames(self, say: Say = silent) -> Iterator[np.ndarray]:
        """(S, S, 3) uint8 RGB, one after the other; ClipError when memory runs out."""
        how, done = self._how, -1  # the first row is the one that motion is counted from
        try:
            for batch in self._model.performing(
                self._face, self._rows, how.relative, how.adapt_scale
            ):
                yield from batch[1:] if done < 0 else batch
                done += len(batch)
                say(f"{self.portrait.name} performs", done, self.count)
        except fomm.MotionError as error:
            raise ClipError(f"{self.portrait} cannot perform: {error}") from error


def perform(
    portrait: Path, driving: Path, checkpoint: Path, params: TransferParams, mode: str = "exact"
) -> Performed:
    """The face of a picture moving as the one in a video, both framed for the motion model.

    `mode` is one of fomm.fast. Raises AssetError (checkpoint, portrait) or ClipError (video, a
    portrait that cannot perform it, or more frames than memory should hold).
    """
    for made in performances([portrait], driving, checkpoint, params, mode):
        if isinstance(made, PallorError):
            raise made
        if made.count * made.record["size"] ** 2 * 3 > LARGEST:
            raise ClipError(
                f"{driving} is too long to hold; `pallor transfer` writes it as it goes"
            )
        return Performed(np.stack(list(made.frames())), made.fps, made.notes)
    raise AssertionError("one portrait, one performance")


def performances(
    portraits: list[Path], driving: Path, checkpoint: Path, params: TransferParams,
    mode: str = "exact", say: Say = silent,
) -> Iterator[Performance | PallorError]:  # fmt: skip
    """Each portrait with the film, which is looked at once; an error in the place of a bad one.

    Raises AssetError for the checkpoint, ClipError for the film, and the first portrait's error
    when none is fit: before the film is looked at, as that takes the time.
    """
    open_film(driving)  # what is no film is said at once
    made = engine(checkpoint, mode)
    told = [_checked(path, made) for path in portraits]
    wrong = [face for face in told if isinstance(face, PallorError)]
    if len(wrong) == len(told):
        raise wrong[0]
    try:
        driver = read_driver(driving, made.model, params.relative, say)
    except fomm.MotionError as error:
        raise ClipError(f"{portraits[0]} cannot perform {driving}: {error}") from error
    sums = {"checkpoint_sha256": file_digest(checkpoint), "driving_sha256": file_digest(driving)}
    for face in told:
        try:
            ready = face if isinstance(face, PallorError) else _ready(
                face, driver, made, params, sums
            )  # fmt: skip
        except PallorError as error:
            ready = error
        yield ready


@dataclass(frozen=True)
class _Face:
    """A portrait's file, framed (S, S, 3) uint8 and checked; `note` on its way up."""

    path: Path
    still: np.ndarray
    checked: Checked
    note: str


def _checked(path: Path, made: fomm.Prepared) -> _Face | PallorError:
    try:
        picture, note = upright_picture(read_picture(path))
        still = frame_face(picture, made.model.config.size)
        checked = check_portrait(made.model, still, path.name)
    except PallorError as error:
        return error
    except fomm.MotionError as error:
        return ClipError(f"{path} cannot perform: {error}")
    return _Face(path, still, checked, f"{path.name}: {note}" if note else "")


def _ready(
    face: _Face, driver: Driver, made: fomm.Prepared,
    params: TransferParams, sums: dict[str, str],
) -> Performance:  # fmt: skip
    still, checked = face.still, face.checked
    start = Reference(0, "")
    if params.relative:
        start = _start(checked, still, driver, face.path.name)
    # The model counts motion from its first row.
    first = driver.points[start.frame : start.frame + 1]
    rows = fomm.KeyPoints.cat([first, driver.points])
    notes = (
        f"{made.mode} arithmetic: {made.because}", start.because, face.note, *driver.notes,
        *checked.notes, restless(checked, driver, start) if params.relative else "",
    )  # fmt: skip
    notes = tuple(note for note in notes if note)
    record = {
        "portrait": face.path.name, "portrait_sha256": file_digest(face.path),
        "driving": driver.name, **sums, "mode": made.mode, "size": still.shape[0],
        "fps": driver.fps, "frames": len(driver.points), **params.model_dump(),
        "start": start.frame, "check": checked.record, "notes": list(notes),
    }  # fmt: skip
    return Performance(
        face.path, len(driver.points), driver.fps, notes, record, made.model, checked.face, rows,
        params,
    )  # fmt: skip


def _start(checked: Checked, still: np.ndarray, driver: Driver, name: str) -> Reference:
    """By 68 landmarks when published weights are at hand, else by the key points."""
    asked = choose_start(checked, driver.points, name, driver.name)
    if checked.mien and checked.mien.shut:
        return Reference(asked.frame, asked.because)
    marks = face_landmarks(still) if driver.landmarks is not None else None
    if marks is not None and driver.landmarks is not None:
        chosen, how = choose_reference(marks, driver.landmarks), "68 landmarks"
    else:
        own = checked.face.points.value[0].cpu().numpy()
        chosen, how = choose_reference(own, driver.points.value.cpu().numpy()), "key points"
    return Reference(chosen.frame, f"{chosen.because} (by {how})")


def restless(checked: Checked, driver: Driver, start: Reference) -> str:
    """What a film that never rests does to a portrait that does; "" when it rests."""
    if checked.mien is None:
        return ""
    shows = read_mien(driver.points.value[start.frame].cpu().numpy()).shows()
    beyond = [what for what in shows if what not in checked.mien.shows()]
    if not beyond:
        return ""
    return (
        f"{driver.name} starts mid-expression: even frame {start.frame}, from which motion is "
        f"counted, shows {' and '.join(beyond)}, which the portrait does not; begin with a face "
        "at rest"
    )
