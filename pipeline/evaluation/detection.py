"""Deteriorating or not: the display classes together against all others, where a corpus has both.

The five published displays alone hold no negative, so a model trained on them must name one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

DISPLAY = "FD"  # names of the deterioration displays begin so (Madrigal-Garcia et al. 2018)


def alarm(
    truth: np.ndarray,
    probabilities: np.ndarray,
    people: Sequence[str],
    labels: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Any] | None:
    """Area under the ROC of "some display" on N units, None where all or none show one.

    `truth` (N,) class indices; the score is the sum of the display classes' `probabilities`
    (N, classes). `auc_ci95` resamples the people (N,) and leaves out draws of one kind alone.
    """
    display = np.array([label.startswith(DISPLAY) for label in labels])
    shown, score = display[truth], probabilities[:, display].sum(1)
    if shown.all() or not shown.any():
        return None
    names, person = np.unique(np.asarray(people), return_inverse=True)
    units = [np.flatnonzero(person == number) for number in range(len(names))]
    rng = np.random.default_rng(seed)
    areas = []
    for drawn in rng.integers(len(names), size=(resamples, len(names))):
        rows = np.concatenate([units[number] for number in drawn])
        if 0 < shown[rows].sum() < len(rows):
            areas.append(roc_auc_score(shown[rows], score[rows]))
    return {
        "auc": round(float(roc_auc_score(shown, score)), 6),
        "auc_ci95": [round(float(edge), 6) for edge in np.percentile(areas, [2.5, 97.5])],
        "n_display": int(shown.sum()),
        "n_other": int((~shown).sum()),
    }
