"""One portrait file performs one video file: the transfer stage's work on anybody's files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fomm
from pipeline.errors import AssetError, ClipError
from pipeline.faces.detect import find_weights, neutral_box, weights_folder
from pipeline.faces.framing import frame_clip, frame_face, read_picture
from pipeline.media.footage import read_footage
from pipeline.media.video import Frames, frame_rate
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
    try:
        made = fomm.prepare(fomm.load_checkpoint(checkpoint, config="auto"), mode)
    except (fomm.CheckpointError, fomm.MotionError) as error:
        raise AssetError(str(error)) from error
    model, size = made.model, made.model.config.size
    face = frame_face(read_picture(portrait), size)
    fps = _rate(driving)
    frames = frame_clip(read_footage(driving, fps), size)
    try:
        points = model.keypoints(frames)
        reference = _reference(model, face, frames) if params.relative else Reference(0, "")
        # The model counts motion from its first row.
        ordered = fomm.KeyPoints.cat([points[reference.frame : reference.frame + 1], points])
        moved = model.perform(face, ordered, params.relative, params.adapt_scale)[1:]
    except fomm.MotionError as error:
        raise ClipError(f"{portrait} cannot perform {driving}: {error}") from error
    notes = (f"{made.mode} arithmetic: {made.because}", reference.because)
    return Performed(moved, fps, tuple(note for note in notes if note))


def _rate(driving: Path) -> int:
    if not driving.is_file():
        raise ClipError(f"{driving} is missing")
    return int(np.clip(round(frame_rate(driving)), 1, FASTEST))


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
