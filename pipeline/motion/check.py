"""A portrait is looked at before it performs: its key points, and what its face shows.

The transfer stage and `pallor transfer` ask the same two questions here: can this portrait perform,
and from which driving frame is its motion to be counted.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import fomm
from pipeline.errors import RefusedError
from pipeline.faces.framing import face_box
from pipeline.faces.upright import own_judge
from pipeline.motion.engine import engine
from pipeline.motion.mien import Mien, read_mien
from pipeline.motion.points import OFF, Placed, place_points
from pipeline.motion.reference import choose_reference
from pipeline.store.threads import one_thread

# Share of a face's pixels with their left neighbour's very colour: a cartoon .94, rendered stills
# .08 at most and .23 where light is even, a photograph .05, and .26 through JPEG of quality 10.
FLAT = 0.75


@dataclass(frozen=True)
class Checked:
    """`face` is ready to perform; `mien` what it shows, None where points have no names.

    `notes` are sentences on what was found, `record` the figures behind them.
    """

    face: fomm.Portrait
    mien: Mien | None
    notes: tuple[str, ...]
    record: dict[str, Any]


@dataclass(frozen=True)
class Start:
    """The driving frame that a portrait's motion is counted from, and why; "" for the usual."""

    frame: int
    because: str


def check_portrait(model: fomm.MotionModel, still: np.ndarray, name: str) -> Checked:
    """A framed still (S, S, 3) uint8, encoded, its points put right where they must be.

    What lies within OFF px of its landmarks stays bit for bit. Raises RefusedError, one sentence,
    for a drawing and for a face whose points cannot be placed or that is turned away.
    """
    face = model.portrait(still)
    _refuse_drawing(still, name)
    lacking = _unasked(model, still)
    if lacking:
        return Checked(face, None, (f"{name}: {lacking}",), {"checked": lacking})
    judge = own_judge()
    with one_thread():
        placed = place_points(model, still, face.points, judge)
    mien = read_mien(placed.points.value[0].cpu().numpy())
    _refuse(placed, mien, name)
    record = {
        "replaced": list(placed.replaced), "off_px": placed.off, "strays_px": placed.strays,
        "shows": list(mien.shows()), "mien": mien.row(), "landmarks": judge is not None,
    }  # fmt: skip
    face = replace(face, points=placed.points)
    return Checked(face, mien, tuple(_notes(placed, mien, name, judge is not None)), record)


def choose_start(checked: Checked, driving: fomm.KeyPoints, name: str, driver: str) -> Start:
    """Frame 0 for a face at rest, else the driving frame most like it.

    Raises RefusedError where relative motion would be wrong from every frame: lids that are shut
    already would be drawn past each other.
    """
    shown = checked.mien.shows() if checked.mien else ()
    if not shown:
        return Start(0, "")
    own, frames = (x.value.cpu().numpy() for x in (checked.face.points, driving))
    chosen = choose_reference(own[0], frames)
    start = Start(chosen.frame, f"{name} shows {' and '.join(shown)}; {chosen.because}")
    if "shut eyes" in shown and not read_mien(frames[start.frame]).shut:
        shut = [n for n, points in enumerate(frames) if read_mien(points).shut]
        if not shut:
            raise RefusedError(
                f"{name} has shut eyes, and no frame of {driver} has, so that its lids would be "
                "drawn past each other; give a portrait with open eyes"
            )
        near = choose_reference(own[0], frames[shut])
        start = Start(
            shut[near.frame], f"{name} shows {' and '.join(shown)}; motion is counted from frame "
            f"{shut[near.frame]} of {driver}, whose eyes are shut too",
        )  # fmt: skip
    return start


@lru_cache(maxsize=64)  # a portrait performs many clips; a worker looks at it once
def _kept(checkpoint: Path, still: bytes, shape: tuple[int, ...], name: str) -> Checked:
    return check_portrait(
        engine(checkpoint).model, np.frombuffer(still, np.uint8).reshape(shape), name
    )


def check_once(checkpoint: Path, still: np.ndarray, name: str) -> Checked:
    """As `check_portrait` with the exact engine of a checkpoint file, once a process."""
    return _kept(checkpoint.resolve(), still.tobytes(), still.shape, name)


def _unasked(model: fomm.MotionModel, still: np.ndarray) -> str:
    config = model.config
    if not config.taught:
        return f"points not checked: those of {config.name} have no names to find landmarks by"
    if still.shape[0] < config.size:
        return f"points not checked: at {still.shape[0]} px, {config.name} was taught {config.size}"
    return ""


def _refuse_drawing(still: np.ndarray, name: str) -> None:
    left, top, right, bottom = face_box(still.shape[0]).round().astype(int)
    face = still[top:bottom, left:right]
    flat = float((face[:, 1:] == face[:, :-1]).all(axis=-1).mean())
    if flat > FLAT:
        raise RefusedError(
            f"{name} cannot perform: it is drawn, as {flat:.0%} of its face has the very colour of "
            "what lies beside it; give a photograph"
        )


def _refuse(placed: Placed, mien: Mien, name: str) -> None:
    if placed.lost:
        worst = max(placed.strays[point] for point in placed.lost)
        raise RefusedError(
            f"{name} cannot perform: its {_listed(placed.lost)} cannot be placed (they stray by "
            f"{worst:.0f} px as the picture is moved and mirrored, {OFF:.0f} are too many); show a "
            "whole, uncovered face from the front, photographed"
        )
    if mien.away:
        side = "left" if mien.turn > 0 else "right"
        raise RefusedError(
            f"{name} cannot perform: its head is turned so far to its own {side} that half of the "
            "face is hidden; give a picture that looks into the camera"
        )


def _notes(placed: Placed, mien: Mien, name: str, judged: bool) -> list[str]:
    notes = []
    if not judged:
        notes.append(f"{name}: no landmarks, as no network that finds them is at hand")
    if placed.replaced:
        far = max(placed.off[point] for point in placed.replaced)
        notes.append(
            f"{name}: {_listed(placed.replaced)} taken from landmarks, up to {far:.0f} px from "
            "where the model had them"
        )
    kept = tuple(p for p, off in placed.off.items() if off > OFF and p not in placed.replaced)
    if kept:
        notes.append(
            f"{name}: landmarks lie more than {OFF:.0f} px from the model's {_listed(kept)}; the "
            "model agrees with itself better, so its own stay"
        )
    if mien.shows():
        notes.append(
            f"{name} shows {' and '.join(mien.shows())}; relative motion adds to it, a face at "
            "rest performs best"
        )
    return notes


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
