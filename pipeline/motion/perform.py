"""One portrait file performs one video file: the transfer stage's work on anybody's files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fomm
from pipeline.errors import ClipError
from pipeline.faces.detect import find_weights, neutral_box, weights_folder
from pipeline.faces.framing import face_finder, frame_clip, frame_face
from pipeline.faces.shown import shown_part
from pipeline.faces.upright import upright_picture
from pipeline.media.films import open_film
from pipeline.media.footage import read_footage
from pipeline.media.pictures import read_picture
from pipeline.media.video import Frames
from pipeline.motion.engine import engine
from pipeline.motion.reference import Points, Reference, choose_reference
from pipeline.params import TransferParams

FASTEST = 25  # frames a second: smooth to the eye, and no frame costs time in vain


@dataclass(frozen=True)
class Performed:
    """`frames` (T, S, S, 3) uint8 RGB at `fps`, and what was chosen on the way, with reasons."""

    frames: Frames
    fps: int
    notes: tuple[str, ...]


def perform(
    portrait: Path, driving: Path, checkpoint: Path, params: TransferParams, mode: str = "exact"
) -> Performed:
    """The face of a picture moving as the one in a video, both framed for the motion model.

    `mode` is one of fomm.fast. Raises AssetError (checkpoint, portrait) or ClipError (video).
    """
    fps, picture = _rate(driving), read_picture(portrait)  # what is no film is said at once
    made = engine(checkpoint, mode)
    model, size = made.model, made.model.config.size
    picture, note = upright_picture(picture)
    face = frame_face(picture, size)
    part = shown_part(read_footage(driving, fps), face_finder(), driving.name)
    frames = frame_clip(part.frames, size)
    try:
        points = model.keypoints(frames)
        reference = _reference(model, face, frames) if params.relative else Reference(0, "")
        # The model counts motion from its first row.
        ordered = fomm.KeyPoints.cat([points[reference.frame : reference.frame + 1], points])
        moved = model.perform(face, ordered, params.relative, params.adapt_scale)[1:]
    except fomm.MotionError as error:
        raise ClipError(f"{portrait} cannot perform {driving}: {error}") from error
    turned = f"{portrait.name}: {note}" if note else ""
    notes = (f"{made.mode} arithmetic: {made.because}", reference.because, turned, *part.notes)
    return Performed(moved, fps, tuple(note for note in notes if note))


def _rate(driving: Path) -> int:
    """The film's own frames a second, as far as they are of use; FASTEST where it names none."""
    return int(np.clip(round(open_film(driving).rate or FASTEST), 1, FASTEST))


def _reference(model: fomm.MotionModel, face: np.ndarray, frames: Frames) -> Reference:
    """By 68 landmarks when face-alignment's weights are at hand, else by the key points."""
    weights = find_weights(weights_folder())
    if weights:
        found = _landmarks(weights, np.concatenate([face[None], frames]))
    else:
        found = np.concatenate([model.keypoints(f).value.numpy() for f in (face, frames)])
    how = "68 landmarks" if weights else "key points"
    chosen = choose_reference(found[0], found[1:])
    return Reference(chosen.frame, f"{chosen.because} (by {how})")


def _landmarks(weights: dict[str, Path], frames: Frames) -> Points:
    from pipeline.faces.alignment import (
        AlignmentDetector,  # torch and numba: seconds, if not needed
    )

    detector = AlignmentDetector(weights)
    return np.stack([detector.landmarks(f, neutral_box(detector, f))[0] for f in frames])
