"""Dose and response: how well the severe and the mild are told from everybody without a finding.

Only a corpus with a known dose in every sample has such a curve.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression

from pipeline.evaluation.metrics import areas_of, ends_of, resampled

BINS = 5  # of equal numbers of positive units
FEWEST = 3  # positive units of a bin, where there are so few that five would hold less
LEVEL = 0.8  # area under the ROC from which a dose counts as told apart


def dose_response(
    dose: np.ndarray,
    truth: np.ndarray,
    score: np.ndarray,
    people: Sequence[str],
    chance: tuple[int, int],
) -> dict[str, Any] | None:
    """Area under the ROC by dose: N units, of which `truth` (N,) bool are positive with a `dose`.

    `bins` from mild to severe: `low`, `high` and mean `dose`, `auc` of their positive units against
    all negative ones, `auc_ci95`, `n` positive units of `n_people`. `spearman` is the rank
    correlation of dose and area over the bins. `smallest` is the dose from which the area is LEVEL
    on the rising curve through the bins (isotonic, straight in between): `dose`, None where no bin
    has it, `ci95`, whose upper end is None where it may be out of reach. Intervals resample people,
    `chance` being (resamples, seed). None where all units are of one kind.
    """
    if truth.all() or not truth.any():
        return None
    members = _bins(dose, truth)
    drawn = resampled(people, *chance)
    names = np.asarray(people)
    rows, curves = [], []
    for member in members:
        asked = member | ~truth
        curves.append(areas_of(truth[asked], score[asked], drawn[:, asked]))
        area = areas_of(truth[asked], score[asked], np.ones((1, asked.sum())))[0]
        rows.append({
            "low": _round(dose[member].min()), "high": _round(dose[member].max()),
            "dose": _round(dose[member].mean()), "auc": _round(area),
            "auc_ci95": ends_of(curves[-1]), "n": int(member.sum()),
            "n_people": len(set(names[member])),
        })  # fmt: skip
    doses, areas = (np.array([row[key] for row in rows]) for key in ("dose", "auc"))
    return {
        "bins": rows,
        "spearman": _round(spearmanr(doses, areas)[0]) if len(rows) > 2 else None,
        "smallest": {"auc": LEVEL, **_smallest(doses, areas, np.stack(curves, 1))},
    }


def _bins(dose: np.ndarray, truth: np.ndarray) -> list[np.ndarray]:
    """(N,) bool a bin: the positive units in the order of their dose, in equal parts."""
    order = np.flatnonzero(truth)[np.argsort(dose[truth], kind="stable")]
    count = max(1, min(BINS, len(order) // FEWEST))
    bins = []
    for part in np.array_split(order, count):
        member = np.zeros(len(dose), dtype=bool)
        member[part] = True
        bins.append(member)
    return bins


def _smallest(doses: np.ndarray, areas: np.ndarray, curves: np.ndarray) -> dict[str, Any]:
    found = _crossing(doses, areas)
    known = curves[~np.isnan(curves).any(axis=1)]
    ends = np.sort([_crossing(doses, curve) for curve in known])
    low, high = (ends[round(share * (len(ends) - 1))] for share in (0.025, 0.975))
    return {
        "dose": _round(found) if np.isfinite(found) else None,
        "ci95": [_round(end) if np.isfinite(end) else None for end in (low, high)],
    }


def _crossing(doses: np.ndarray, areas: np.ndarray) -> float:
    """The dose at which the rising curve reaches LEVEL; infinite where it does not."""
    if len(doses) > 1:
        areas = IsotonicRegression().fit_transform(doses, areas)
    above = np.flatnonzero(areas >= LEVEL)
    if not len(above):
        return np.inf
    first = above[0]
    if first == 0:
        return float(doses[0])
    below = areas[first - 1]
    share = (LEVEL - below) / (areas[first] - below)
    return float(doses[first - 1] + share * (doses[first] - doses[first - 1]))


def _round(value: float) -> float:
    return round(float(value), 6)
