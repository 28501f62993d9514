"""Binary detection: the classes that count as a finding together, against all others.

A corpus without negatives has no such figure: a model trained on it must name one of its classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import areas_of, ends_of, resampled


def detection(
    truth: np.ndarray,
    probabilities: np.ndarray,
    people: Sequence[str],
    finding: np.ndarray,
    chance: tuple[int, int],
) -> dict[str, Any] | None:
    """Area under the ROC of "some finding" on N units, None where all or none show one.

    `truth` (N,) class indices, `finding` (classes,) bool: which classes count. The score is the sum
    of their `probabilities` (N, classes). `auc_ci95` resamples the people (N,), `chance` being
    (resamples, seed), and leaves out draws of one kind alone.
    """
    shown, score = finding[truth], probabilities[:, finding].sum(1)
    if shown.all() or not shown.any():
        return None
    area = areas_of(shown, score, np.ones((1, len(shown))))[0]
    return {
        "auc": round(float(area), 6),
        "auc_ci95": ends_of(areas_of(shown, score, resampled(people, *chance))),
        "n_finding": int(shown.sum()),
        "n_other": int((~shown).sum()),
    }
