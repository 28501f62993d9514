"""Figures of a classifier on a test side, with intervals over people."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from pipeline.errors import StageError

DIGITS = 6


FIGURES = ("accuracy", "precision", "recall", "f1", "auc")
BINARY = ("negative", "positive")  # classes of a task that tells one finding from its absence


def scores(
    truth: np.ndarray,
    probabilities: np.ndarray,
    people: Sequence[str],
    labels: Sequence[str],
    chance: tuple[int, int],
) -> dict[str, Any]:
    """All figures of N test units: `truth` (N,) class indices, `probabilities` (N, classes).

    Precision, recall and F1 are unweighted means over the classes seen in truth or prediction,
    `weighted_f1` is weighted by how many units a class has;
    `auc` is the mean one-vs-rest area over the classes that have both sides, None without any.
    Two classes of BINARY add `sensitivity` and `specificity`. Each figure has a `_ci95` (see
    `resampled`); `people` (N,) names whom each unit shows, `chance` is (resamples, seed).
    """
    if not len(truth):
        raise StageError("the test side is empty, so there is nothing to measure")
    predicted = probabilities.argmax(1)
    areas = [_area(truth == index, probabilities[:, index]) for index in range(len(labels))]
    drawn = resampled(people, *chance)
    once = np.ones((1, len(truth)))
    ends = _figures(truth, probabilities, drawn, labels)
    figures = {
        name: None if np.isnan(value[0]) else _round(value[0])
        for name, value in _figures(truth, probabilities, once, labels).items()
    }
    return {
        **figures,
        **{f"{name}_ci95": ends_of(values) for name, values in ends.items()},
        "n_test": len(truth),
        "n_people": len(set(people)),
        "per_class": _per_class(truth, predicted, areas, labels),
        "confusion": {
            "labels": list(labels),
            "matrix": confusion_matrix(truth, predicted, labels=range(len(labels))).tolist(),
        },
    }


def resampled(people: Sequence[str], resamples: int, seed: int) -> np.ndarray:
    """(resamples, N) how often each of N units is drawn, people being drawn with replacement.

    Units of one person are not independent, so each person brings all of their units (the cluster
    bootstrap, Field & Welsh 2007). Where no unit is wrong an interval has no width: it cannot tell
    how rare an unseen error is.
    """
    names, person = np.unique(np.asarray(people), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(names), size=(resamples, len(names)))
    times = np.zeros((resamples, len(names)))
    np.add.at(times, (np.arange(resamples)[:, None], drawn), 1)
    return times[:, person]


def ends_of(values: np.ndarray) -> list[float] | None:
    """[low, high] of the 95 % percentile interval; None where no draw has a value."""
    known = values[~np.isnan(values)]
    return [_round(edge) for edge in np.percentile(known, [2.5, 97.5])] if len(known) else None


def bootstrap_accuracy(
    right: np.ndarray, people: Sequence[str], resamples: int, seed: int
) -> list[float]:
    """[low, high] of the 95 % interval of accuracy over people, from whether N units are right."""
    drawn = resampled(people, resamples, seed)
    ends = ends_of((drawn @ right.astype(float)) / drawn.sum(1))
    assert ends is not None
    return ends


def _figures(
    truth: np.ndarray, probabilities: np.ndarray, drawn: np.ndarray, labels: Sequence[str]
) -> dict[str, np.ndarray]:
    """Each figure (R,) of R draws of the units; `drawn` (R, N) counts. NaN: it has no value."""
    predicted, classes = probabilities.argmax(1), len(labels)
    cell = np.zeros((len(truth), classes * classes))
    cell[np.arange(len(truth)), truth * classes + predicted] = 1
    matrix = (drawn @ cell).reshape(-1, classes, classes)  # (R, truth, prediction)
    right, true, said = np.einsum("rcc->rc", matrix), matrix.sum(2), matrix.sum(1)
    seen = (true + said) > 0
    precision, recall = _share(right, said), _share(right, true)
    f1 = _share(2 * right, true + said)
    areas = np.stack([areas_of(truth == c, probabilities[:, c], drawn) for c in range(classes)])
    figures = {
        "accuracy": right.sum(1) / matrix.sum((1, 2)),
        "precision": (precision * seen).sum(1) / seen.sum(1),
        "recall": (recall * seen).sum(1) / seen.sum(1),
        "f1": (f1 * seen).sum(1) / seen.sum(1),
        "weighted_f1": (f1 * true).sum(1) / true.sum(1),
        "auc": _mean_known(areas),
    }
    if tuple(labels) == BINARY:
        figures |= {"sensitivity": recall[:, 1], "specificity": recall[:, 0]}
    return figures


def areas_of(truth: np.ndarray, score: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(R,) areas under the ROC of N units in R draws (R, N); NaN for draws of one kind alone.

    The share of pairs of a true and a false unit in which the true one scores higher, ties by half.
    """
    order = np.argsort(score, kind="stable")
    starts = np.unique(score[order], return_index=True)[1]  # of groups of equal score
    true, false = (
        np.add.reduceat((drawn * kind)[:, order], starts, axis=1) for kind in (truth, ~truth)
    )  # (R, groups)
    pairs = true.sum(1) * false.sum(1)
    won = (true * (np.cumsum(false, axis=1) - false / 2)).sum(1)
    return np.divide(won, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)


def _mean_known(areas: np.ndarray) -> np.ndarray:
    known = ~np.isnan(areas)
    count = known.sum(0)
    total = np.where(known, areas, 0).sum(0)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def roc(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates of one class against the rest; `truth` (N,) bool."""
    false, true, _ = roc_curve(truth, score)
    return false, true


def mean_by(
    keys: Sequence[str], truth: np.ndarray, probabilities: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Units joined by key: sorted keys, their class (one a key), their mean probabilities."""
    names, member = np.unique(np.asarray(keys), return_inverse=True)
    sums = np.zeros((len(names), probabilities.shape[1]))
    np.add.at(sums, member, probabilities)
    joined = np.zeros(len(names), dtype=truth.dtype)
    joined[member] = truth
    return names.tolist(), joined, sums / np.bincount(member)[:, None]


def by_value(
    values: Sequence[str], right: np.ndarray, people: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    """`accuracy`, `n` and `n_people` of the units (N,) that share each value."""
    table, names = np.asarray(values), np.asarray(people)
    return {
        str(value): {
            "accuracy": _round(right[table == value].mean()),
            "n": int((table == value).sum()),
            "n_people": len(set(names[table == value])),
        }
        for value in np.unique(table)
    }


def _per_class(
    truth: np.ndarray, predicted: np.ndarray, areas: list[float | None], labels: Sequence[str]
) -> dict[str, dict[str, float | int | None]]:
    columns = precision_recall_fscore_support(
        truth, predicted, labels=range(len(labels)), zero_division=0
    )
    return {
        label: {
            "precision": _round(precision),
            "recall": _round(recall),
            "f1": _round(f1),
            "support": int(support),
            "auc": None if area is None else _round(area),
        }
        for label, precision, recall, f1, support, area in zip(labels, *columns, areas, strict=True)
    }


def _area(truth: np.ndarray, score: np.ndarray) -> float | None:
    return float(roc_auc_score(truth, score)) if 0 < truth.sum() < len(truth) else None


def _round(value: float) -> float:
    return round(float(value), DIGITS)
