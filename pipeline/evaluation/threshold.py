"""Where two classes part: a threshold chosen on one protocol's test sides, used on another's.

Chosen on cross-validation and used on people who were never seen, it says what sensitivity and
specificity a user would get; chosen on those same people, it would say what they might have got.
"""

import numpy as np
from sklearn.metrics import roc_curve

EDGE = 1e-6  # predictions are rounded to it


def best_threshold(truth: np.ndarray, score: np.ndarray) -> float:
    """The score of the positive class from which N units (`truth` bool) are best called positive.

    Best is the greatest sensitivity + specificity (Youden 1950); of equals the nearest to one half.
    It lies midway between two scores, and at one half where all units are of one kind.
    """
    if truth.all() or not truth.any():
        return 0.5
    false, true, _ = roc_curve(truth, score, drop_intermediate=False)
    known = np.unique(score)[::-1]  # roc_curve steps down through them
    edges = np.r_[min(1.0, known[0] + EDGE), (known[:-1] + known[1:]) / 2, known[-1] - EDGE]
    best = np.flatnonzero(np.isclose(true - false, (true - false).max()))
    nearest = edges[best][np.abs(edges[best] - 0.5).argmin()]
    return round(float(np.clip(nearest, EDGE, 1 - EDGE)), 7)


def shifted(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 2) probabilities whose odds are divided by the threshold's: it now lies at one half."""
    if threshold == 0.5:
        return probabilities
    positive = probabilities[:, 1] * (1 - threshold)
    negative = (1 - probabilities[:, 1]) * threshold
    share = positive / (positive + negative)
    return np.stack([1 - share, share], axis=1)
