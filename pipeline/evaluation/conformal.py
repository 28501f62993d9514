"""Answers that know when they do not know: split-conformal sets, calibrated by groups of people.

The promise of a set: of new clips of new people the share `1 - alpha` or more have their true class
in it, over the draw of the people. It holds where the new group of people could have been one of
the calibration's (exchangeable), which no real patient is. Clips of one group are not independent,
so each group weighs as one, whatever its clips, and so does the group that comes (hierarchical
conformal prediction, Lee, Barber & Willett 2023, arXiv:2306.06342).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

ALPHA = 0.1  # 25 groups of people cannot promise 95 % with a margin: a single one weighs 4 %
NEVER = 2.0  # a limit that no score of 0 to 1 reaches: everything is in the set


@dataclass(frozen=True)
class Doubt:
    """When a class belongs to the set of an answer, and when an answer is none.

    A class is in the set where 1 - its probability is at most `limit`. A face is called unknown
    where 1 - the likeliest class' probability is above `unsure`, which at most `alpha` of the known
    are. Both are 2 where `groups` are too few to promise anything.
    """

    alpha: float
    limit: float
    unsure: float
    groups: int

    @classmethod
    def fitted(
        cls, truth: np.ndarray, shares: np.ndarray, groups: Sequence[str], alpha: float = ALPHA
    ) -> "Doubt":
        """From N answers about clips whose class is known: `truth` (N,), `shares` (N, classes)."""
        missed = 1 - shares[np.arange(len(truth)), truth]
        return cls(
            alpha, group_quantile(missed, groups, alpha),
            group_quantile(1 - shares.max(1), groups, alpha), len(set(groups)),
        )  # fmt: skip

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "Doubt":
        """From the plain values that `row` gives."""
        return cls(**{name: row[name] for name in ("alpha", "limit", "unsure", "groups")})

    def row(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def sets(self, shares: np.ndarray) -> np.ndarray:
        """(N, classes) probabilities > (N, classes) bool: which classes each answer leaves open."""
        return np.asarray(1 - shares <= self.limit)

    def unknown(self, shares: np.ndarray) -> np.ndarray:
        """(N, classes) > (N,) bool: is it less sure than nearly all that is known?"""
        return np.asarray(1 - shares.max(1) > self.unsure)


def group_quantile(scores: np.ndarray, groups: Sequence[str], alpha: float) -> float:
    """The least score that a new group's stays below with 1 - `alpha`; NEVER with too few groups.

    Each of G groups weighs 1 / (G + 1), spread evenly over its scores, and as much lies beyond all.
    """
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(member)
    weights = 1 / ((len(sizes) + 1) * sizes[member])
    order = np.argsort(scores, kind="stable")
    reached = np.flatnonzero(np.cumsum(weights[order]) >= 1 - alpha - 1e-12)
    return round(float(scores[order[reached[0]]]), 6) if len(reached) else NEVER


def crossed(
    truth: np.ndarray, shares: np.ndarray, groups: Sequence[str], folds: np.ndarray
) -> dict[str, np.ndarray]:
    """Each fold's clips judged by the doubt that the other folds' groups fit.

    `covered`, `unknown` (N,) bool and `size` (N,) int: what stood in the set of each answer.
    """
    names = np.asarray(groups)
    found = {
        "covered": np.zeros(len(truth), bool), "unknown": np.zeros(len(truth), bool),
        "size": np.zeros(len(truth), int),
    }  # fmt: skip
    for fold in np.unique(folds):
        here = folds == fold
        doubt = Doubt.fitted(truth[~here], shares[~here], names[~here].tolist())
        sets = doubt.sets(shares[here])
        found["covered"][here] = sets[np.arange(here.sum()), truth[here]]
        found["size"][here] = sets.sum(1)
        found["unknown"][here] = doubt.unknown(shares[here])
    return found
