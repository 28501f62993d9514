"""Clinical conditions: from the units a person intends to the units the face executes.

Each condition is a transform of (T, U, 2) activations, per side and over time, with a severity in
[0, 1] where 0 changes nothing; several apply in order. Both the intended and the executed units
are kept as truth. Patterns and their sources: `docs/conditions.md`. Nothing here is medical advice.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from avatars.errors import AvatarError
from avatars.units import SIDES, UNITS

_ROWS = {name: row for row, name in enumerate(UNITS)}
# Muscles of the facial nerve (VII); 5 and 41 are III's levator, 26 and 27 the jaw's V.
_FACIAL_NERVE = [_ROWS[name] for name in UNITS if name not in ("5", "26", "27", "41", "43")]


@dataclass(frozen=True)
class Condition:
    """`kind` of `KINDS`; `side` is the affected, or more affected, own side."""

    kind: str
    severity: float
    side: str = "left"

    def row(self) -> dict[str, Any]:
        """The condition as plain JSON values."""
        return asdict(self)

    @classmethod
    def parse(cls, row: dict[str, Any]) -> "Condition":
        """The condition of a row; AvatarError names a missing or unknown field."""
        known = {field.name for field in fields(cls)}
        if wrong := (known - {"side"} - set(row)) | (set(row) - known):
            raise AvatarError(f"a condition row has missing or unknown fields: {sorted(wrong)}")
        return cls(**row)

    def check(self) -> None:
        """Raise AvatarError for an unknown kind or side, or a severity outside [0, 1]."""
        if self.kind not in KINDS:
            raise AvatarError(f"there is no condition '{self.kind}'; known: {', '.join(KINDS)}")
        if self.side not in SIDES:
            raise AvatarError(f"{self.kind} has side '{self.side}'; use left or right")
        if not 0.0 <= self.severity <= 1.0:
            raise AvatarError(f"{self.kind} has severity {self.severity}; it must be in [0, 1]")


def execute(conditions: Sequence[Condition], intended: np.ndarray, fps: float) -> np.ndarray:
    """(T, U, 2) executed units in [0, 1] of `intended` ones at `fps` frames a second."""
    executed = intended.copy()
    for condition in conditions:
        condition.check()
        side = SIDES.index(condition.side)
        executed = KINDS[condition.kind](executed, condition.severity, side, fps)
        executed = np.clip(executed, 0.0, 1.0)
    return executed


def house_brackmann(grade: int) -> float:
    """Severity in [0, 1] of House-Brackmann grade 1 (normal) to 6 (total)."""
    if not 1 <= grade <= 6:
        raise AvatarError(f"House-Brackmann grades run from 1 to 6, got {grade}")
    return (grade - 1) / 5


def palsy(units: np.ndarray, severity: float, side: int, fps: float) -> np.ndarray:
    """Facial palsy of one side (House & Brackmann 1985).

    Voluntary strength of VII falls with severity; the eye closes with effort up to grade III and
    no longer from IV on; from V on the face droops at rest. Midline muscles keep half their drive.
    """
    del fps
    executed = units.copy()
    paired = [row for row in _FACIAL_NERVE if list(UNITS.values())[row].paired]
    midline = [row for row in _FACIAL_NERVE if row not in paired]
    executed[:, paired, side] *= 1 - severity
    executed[:, midline] *= 1 - severity / 2
    executed[:, _ROWS["43"], side] *= 1 - 0.85 * _ramp(severity, 0.4, 1.0)
    executed[:, _ROWS["15"], side] += 0.3 * _ramp(severity, 0.7, 1.0)
    return executed


def synkinesis(units: np.ndarray, severity: float, side: int, fps: float) -> np.ndarray:
    """Unwanted co-activation on the affected side after a healed palsy: executed += K intended."""
    del fps
    executed = units.copy()
    driven = units[:, :, side]
    for target, sources in _COUPLING.items():
        pull = np.max([gain * driven[:, _ROWS[name]] for name, gain in sources.items()], axis=0)
        executed[:, _ROWS[target], side] += severity * pull
    return executed


# Gains at severity 1: eye narrowing with the mouth, mouth corner with the eye, brow least. Mouth
# corners of patients move 0.39 cm when they shut their eyes, 0.47 when they smile: 0.83 of it
# (Head & Neck Surgery 2022). A middling severity of 0.58 drives 0.58 here, where a palsy of 0.2
# leaves 0.68 of a smile. How far eyes narrow is not stated; those gains are ours.
_COUPLING = {
    "6": {"12": 0.6, "18": 0.6},
    "7": {"12": 0.8, "18": 0.8},
    "43": {"12": 0.6, "18": 0.6},
    "12": {"43": 1.0, "1": 0.7, "2": 0.7},
    "14": {"43": 0.5, "1": 0.35, "2": 0.35},
    "1": {"12": 0.1},
}


def myasthenia(units: np.ndarray, severity: float, side: int, fps: float) -> np.ndarray:
    """Myasthenia gravis: weak smile with a kept snarl, weak lids, ptosis, fatigue.

    Weak on both sides, more on `side`; the frontalis works against the ptosis; every unit's
    strength decays with the work it has already done.
    """
    executed = units.copy()
    for column in range(2):
        share = severity * (1.0 if column == side else 0.75)
        for name, loss in {"12": 0.75, "20": 0.75, "6": 0.5, "7": 0.5, "43": 0.5}.items():
            executed[:, _ROWS[name], column] *= 1 - share * loss
        executed[:, _ROWS["41"], column] += 0.8 * share
        executed[:, [_ROWS["1"], _ROWS["2"]], column] += 0.35 * share
    work = np.cumsum(units, axis=0) / fps  # activation seconds
    return np.asarray(executed * np.exp(-0.5 * severity * np.maximum(work - 0.5, 0)))


def hypomimia(units: np.ndarray, severity: float, side: int, fps: float) -> np.ndarray:
    """The masked face of Parkinson's disease: every movement smaller and slower, on both sides."""
    del side
    executed = units.copy()
    step = 1 / (1 + 0.6 * severity * fps)  # a first-order lag of 0.6 s at severity 1
    for frame in range(1, len(units)):
        executed[frame] = executed[frame - 1] + step * (units[frame] - executed[frame - 1])
    return np.asarray((1 - 0.7 * severity) * executed)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


KINDS: dict[str, Callable[[np.ndarray, float, int, float], np.ndarray]] = {
    "palsy": palsy,
    "synkinesis": synkinesis,
    "myasthenia": myasthenia,
    "hypomimia": hypomimia,
}
