"""Figures of a classifier on a test side, with intervals over people."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from pipeline.errors import StageError

DIGITS = 6


def scores(
    truth: np.ndarray,
    probabilities: np.ndarray,
    people: Sequence[str],
    labels: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """All figures of N test units: `truth` (N,) class indices, `probabilities` (N, classes).

    Precision, recall and F1 are unweighted means over the classes seen in truth or prediction;
    `auc` is the mean one-vs-rest area over the classes that have both sides, None without any.
    `people` (N,) names whom each unit shows; see `bootstrap_accuracy` for the interval.
    """
    if not len(truth):
        raise StageError("the test side is empty, so there is nothing to measure")
    predicted = probabilities.argmax(1)
    areas = [_area(truth == index, probabilities[:, index]) for index in range(len(labels))]
    known = [area for area in areas if area is not None]
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    return {
        "accuracy": _round(accuracy_score(truth, predicted)),
        "precision": _round(precision),
        "recall": _round(recall),
        "f1": _round(f1),
        "auc": _round(float(np.mean(known))) if known else None,
        "accuracy_ci95": bootstrap_accuracy(truth == predicted, people, resamples, seed),
        "n_test": len(truth),
        "n_people": len(set(people)),
        "per_class": _per_class(truth, predicted, areas, labels),
        "confusion": {
            "labels": list(labels),
            "matrix": confusion_matrix(truth, predicted, labels=range(len(labels))).tolist(),
        },
    }


def bootstrap_accuracy(
    right: np.ndarray, people: Sequence[str], resamples: int, seed: int
) -> list[float]:
    """[low, high] of the 95 % percentile interval of accuracy, resampling people, not units.

    Units of one person are not independent, so people are drawn with replacement and each brings
    all of their units (the cluster bootstrap, Field & Welsh 2007). Where no unit is wrong the
    interval has no width: it cannot tell how rare an unseen error is.
    """
    names, person = np.unique(np.asarray(people), return_inverse=True)
    units = np.bincount(person)
    correct = np.bincount(person, weights=right)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(names), size=(resamples, len(names)))
    accuracies = correct[drawn].sum(1) / units[drawn].sum(1)
    return [_round(float(edge)) for edge in np.percentile(accuracies, [2.5, 97.5])]


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
