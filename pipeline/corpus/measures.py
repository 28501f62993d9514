"""Targets of a clip that follow from what its face executes: known before one pixel."""

from collections.abc import Callable

import numpy as np

from avatars import conditions, expression
from avatars.units import UNITS
from pipeline.records import ClipPlan

_ROWS = {name: row for row, name in enumerate(UNITS)}
LEVELS = 5  # FACS intensities A to E are 1 to 5
SHUT = 0.5  # of unit 43: half closed counts as closed, which PSPI knows alone


def measure(name: str, clip: ClipPlan) -> float:
    """The most that a planned clip shows of a measure (`pipeline.task.MEASURES`) in any frame."""
    return round(float(_MEASURES[name](executed(clip)).max()), 3)


def executed(clip: ClipPlan) -> np.ndarray:
    """(T, U, 2) units in [0, 1] that the face of a planned clip executes, as its truth will say."""
    chance = np.random.default_rng(clip.seed)
    performed = expression.perform(expression.load(clip.expression), clip.frames, clip.fps, chance)
    given = [conditions.Condition.parse(row) for row in clip.conditions]
    return conditions.execute(given, performed.intended, clip.fps)


def pspi(units: np.ndarray) -> np.ndarray:
    """(T,) Prkachin and Solomon pain intensity, 0 to 16, of (T, U, 2) executed units.

    AU4 + max(AU6, AU7) + max(AU9, AU10) + AU43 (Prkachin & Solomon, Pain 2008;139:267-274), each
    at its stronger side on the levels 0 to 5, the last 0 or 1.
    """
    level = {name: LEVELS * units[:, row].max(axis=1) for name, row in _ROWS.items()}
    shut = units[:, _ROWS["43"]].max(axis=1) >= SHUT
    return np.asarray(
        level["4"] + np.maximum(level["6"], level["7"]) + np.maximum(level["9"], level["10"]) + shut
    )


_MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"pspi": pspi}
