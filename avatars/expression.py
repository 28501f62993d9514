"""Expressions as small versioned files, and how a person performs one.

Format 1 (`docs/formats/expression.md`): units with a side, an intensity range and the four
times onset < apex <= offset < end in seconds; between them a smooth rise, hold and fall.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from avatars.errors import AvatarError
from avatars.pose import GAZE_AXES, HEAD_AXES
from avatars.units import EYE_UNITS, HEAD_UNITS, SIDES, UNITS, require

_FOLDER = Path(__file__).parent / "expressions"
_FIELDS = {"unit", "side", "intensity", "onset", "apex", "offset", "end"}


@dataclass(frozen=True)
class Activation:
    """One unit's course: `intensity` is the (low, high) range a performance draws from."""

    unit: str
    side: str
    intensity: tuple[float, float]
    times: tuple[float, float, float, float]  # onset, apex, offset, end in seconds


@dataclass(frozen=True)
class Expression:
    """A named expression and where its definition comes from; `note` is one line for people."""

    name: str
    source: str
    licence: str
    activations: tuple[Activation, ...]
    note: str = ""

    @property
    def duration(self) -> float:
        """Seconds until every unit has ended."""
        return max((a.times[-1] for a in self.activations), default=0.0)

    @property
    def in_words(self) -> str:
        """The note, or what its units mean where the note only lists them ("6 + 12")."""
        if any(character.isalpha() for character in self.note):
            return self.note
        return ", ".join(UNITS[a.unit].meaning for a in self.activations if a.unit in UNITS)


@dataclass(frozen=True)
class Performance:
    """What a person does in a clip, frame by frame.

    `intended` (T, U, 2) float64 in [0, 1], units in the order of `UNITS`, last axis the own
    left and right; `head_deg` (T, 3) and `gaze_deg` (T, 2) as `pose` defines them; `shift_mm` (T,)
    carries the head forward (57) or back (58).
    """

    intended: np.ndarray
    head_deg: np.ndarray
    gaze_deg: np.ndarray
    shift_mm: np.ndarray


def names() -> list[str]:
    """Every expression that ships."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def load(name: str) -> Expression:
    """The expression of that name; AvatarError names the nearest when there is none."""
    path = _FOLDER / f"{name}.json"
    if name not in names():
        near = get_close_matches(name, names(), n=1, cutoff=0.3)
        hint = f"the nearest is '{near[0]}'" if near else f"known: {', '.join(names())}"
        raise AvatarError(f"there is no expression '{name}'; {hint}")
    return parse(json.loads(path.read_text()), path.name)


def parse(row: dict, where: str) -> Expression:
    """An expression from its file's values; AvatarError says what does not fit."""
    if row.get("format") != 1:
        raise AvatarError(f"{where}: format {row.get('format')!r} is not known; this reads 1")
    if not row.get("licence"):
        raise AvatarError(f"{where}: an expression needs a licence")
    if missing := {"name", "source", "units"} - set(row):
        raise AvatarError(f"{where}: an expression needs {sorted(missing)}")
    units = tuple(_activation(unit, where) for unit in row["units"])
    return Expression(row["name"], row["source"], row["licence"], units, row.get("note", ""))


def _activation(row: dict, where: str) -> Activation:
    if wrong := _FIELDS ^ set(row):
        raise AvatarError(f"{where}: a unit has missing or unknown fields {sorted(wrong)}")
    low, high = row["intensity"]
    for intensity in (low, high):
        require(row["unit"], row["side"], intensity)
    if low > high:
        raise AvatarError(f"{where}: unit {row['unit']} has intensities {low} > {high}; swap them")
    onset, apex, offset, end = (float(row[key]) for key in ("onset", "apex", "offset", "end"))
    if not 0 < onset < apex <= offset < end:
        raise AvatarError(
            f"{where}: unit {row['unit']} needs 0 < onset < apex <= offset < end, "
            f"got {onset}, {apex}, {offset}, {end}"
        )
    return Activation(row["unit"], row["side"], (low, high), (onset, apex, offset, end))


def perform(
    expression: Expression, frames: int, fps: float, rng: np.random.Generator
) -> Performance:
    """One performance: timing, intensity, side balance and micro-motion drawn from `rng`.

    Frame 0 is neutral. Raises AvatarError when the clip ends before the expression does.
    """
    if frames < 1:
        raise AvatarError(f"a clip needs at least 1 frame, got {frames}")
    seconds = np.arange(frames) / fps
    if expression.duration > frames / fps:
        raise AvatarError(
            f"{frames} frames at {fps} fps last {frames / fps:.2f} s and cut {expression.name}, "
            f"which lasts {expression.duration:.2f} s; raise frames or lower fps"
        )
    intended = np.zeros((frames, len(UNITS), 2))
    head, gaze, shift = np.zeros((frames, 3)), np.zeros((frames, 2)), np.zeros(frames)
    tempo, delay = rng.uniform(0.9, 1.0), rng.uniform(-0.08, 0.04)
    rows = {name: row for row, name in enumerate(UNITS)}
    for activation in expression.activations:
        course = _course(activation, seconds, tempo, delay, rng)
        if activation.unit not in UNITS:
            _turn(activation.unit, course, head, gaze, shift)
        else:
            sides = SIDES if activation.side == "both" else (activation.side,)
            paired = UNITS[activation.unit].paired
            for side in sides:
                balance = rng.uniform(0.92, 1.0) if paired and len(sides) == 2 else 1.0
                intended[:, rows[activation.unit], SIDES.index(side)] = balance * course
    head += _drift(seconds, rng, (1.6, 1.2, 1.0))
    gaze += _drift(seconds, rng, (1.5, 1.0))
    return Performance(np.clip(intended, 0, 1), head, gaze, shift)


def hold(stills: Sequence[Mapping[str, Sequence[float]]]) -> Performance:
    """Exactly these frames, {unit: (left, right)} each, with nothing drawn and no sway.

    Raises AvatarError as `require` does, and for a unit without sides that differs between them.
    """
    intended = np.zeros((len(stills), len(UNITS), 2))
    head, gaze = np.zeros((len(stills), 3)), np.zeros((len(stills), 2))
    shift = np.zeros(len(stills))
    rows = {name: row for row, name in enumerate(UNITS)}
    for frame, still in enumerate(stills):
        now = slice(frame, frame + 1)
        for unit, (left, right) in still.items():
            for side, value in zip(SIDES, (left, right), strict=True):
                require(unit, "both" if left == right else side, value)
            if unit in rows:
                intended[frame, rows[unit]] = left, right
            else:
                _turn(unit, left, head[now], gaze[now], shift[now])
    return Performance(intended, head, gaze, shift)


def _turn(
    unit: str, course: np.ndarray | float, head: np.ndarray, gaze: np.ndarray, shift: np.ndarray
) -> None:
    """Add a head or eye unit to `head` (T, 3), `gaze` (T, 2) or `shift` (T,), in place."""
    if unit in EYE_UNITS:
        axis, amount = EYE_UNITS[unit]
        gaze[:, GAZE_AXES.index(axis)] += amount * course
        return
    axis, amount = HEAD_UNITS[unit]
    moved = shift if axis == "forward" else head[:, HEAD_AXES.index(axis)]
    moved += amount * course


def _course(
    activation: Activation, seconds: np.ndarray, tempo: float, delay: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """(T,) intensity: smooth rise from onset to apex, hold, smooth fall from offset to end."""
    peak = rng.uniform(*activation.intensity)
    jitter = rng.uniform(-0.04, 0.04, 4)
    onset, apex, offset, end = np.asarray(activation.times) * tempo + delay + jitter
    onset, end = max(onset, 0.01), min(end, activation.times[-1])
    rise = _smooth((seconds - onset) / (apex - onset))
    fall = _smooth((seconds - offset) / (end - offset))
    return np.asarray(peak * rise * (1 - fall))


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _drift(seconds: np.ndarray, rng: np.random.Generator, degrees: tuple[float, ...]) -> np.ndarray:
    """(T, n) slow sway that starts at zero: nobody holds a head still."""
    columns = []
    for amplitude in degrees:
        rate, phase = rng.uniform(0.2, 0.6), rng.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi * rate * seconds + phase)
        columns.append(amplitude * rng.uniform(0.3, 1.0) * (wave - np.sin(phase)))
    return np.stack(columns, axis=1)
