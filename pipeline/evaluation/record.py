"""Figures of all folds and seeds together, and where a single run's figure must then fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.conformal import Doubt, crossed
from pipeline.evaluation.metrics import bootstrap_accuracy, by_value
from pipeline.records import FaceTrack

RUNS = 4000  # single runs that are drawn
EDGES = (0.5, 99.5)  # per cent: one run in a hundred falls outside by luck alone
SHARE = 0.15  # of the clips that a single run tests, as the clean split does


@dataclass(frozen=True)
class Said:
    """What the networks of a fold said after one seed: `answers` as pipeline.evaluation.fold."""

    number: int
    seed: int
    whole: bool
    answers: Mapping[str, Any]


def figures_of(
    said: Sequence[Said],
    tracks: Mapping[str, FaceTrack],
    groups: Mapping[str, str],
    first: str,
    chance: tuple[int, int],
) -> dict[str, Any]:
    """`models`, `single_run`, `doubt`, `cheap` (docs/formats/folds.md).

    `first` names the study's own network; `chance` is (resamples, seed) of every interval.
    """
    cheap = [one for one in said if not one.whole]
    rights = _rights(cheap)
    sizes = {name: size for one in cheap for name, size in one.answers["parameters"].items()}
    return {
        "models": {
            name: {**_model(table, tracks, chance), "parameters": sizes.get(name)}
            for name, table in rights.items()
        },
        "first": first,
        "single_run": single_run(rights[first], groups, chance[1]),
        "doubt": _doubt(cheap, tracks, groups, chance),
        "cheap": _cheap(said, first),
    }


def _rights(said: Sequence[Said]) -> dict[str, dict[int, dict[str, bool]]]:
    """Model > seed > clip > was it named rightly."""
    found: dict[str, dict[int, dict[str, bool]]] = {}
    for one in said:
        for name, right in one.answers["right"].items():
            found.setdefault(name, {}).setdefault(one.seed, {}).update(right)
    return found


def _model(
    table: Mapping[int, Mapping[str, bool]],
    tracks: Mapping[str, FaceTrack],
    chance: tuple[int, int],
) -> dict[str, Any]:
    """Mean over the seeds, with the interval over people, and each seed's own figure."""
    clips = sorted(table[0])
    right = np.array([[seed[clip] for clip in clips] for seed in table.values()], dtype=float)
    mean, people = right.mean(0), [tracks[clip].identity_id for clip in clips]
    each = right.mean(1)
    return {
        "accuracy": round(float(mean.mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(mean, people, *chance),
        "seeds": [round(float(one), 6) for one in each],
        "seeds_sd": round(float(each.std(ddof=1)), 6) if len(each) > 1 else None,
        "n_test": len(clips),
        "n_people": len(set(people)),
        "by_kind": by_value([str(tracks[clip].kind) for clip in clips], mean, people),
    }


def single_run(
    table: Mapping[int, Mapping[str, bool]], groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """`low` and `high` of the accuracy of one seed on whole groups that hold SHARE of the clips.

    RUNS test sides are drawn, each with one seed of the table; 99 % of them fall in between.
    """
    clips = sorted(table[0])
    names, member = np.unique([groups[clip] for clip in clips], return_inverse=True)
    sizes = np.bincount(member)
    right = np.array(
        [np.bincount(member, [float(one[clip]) for clip in clips]) for one in table.values()]
    )  # fmt: skip  (seeds, groups): rightly named clips
    rng = np.random.default_rng(seed)
    figures, tested = np.zeros(RUNS), round(SHARE * len(clips))
    for run in range(RUNS):
        order = rng.permutation(len(names))
        taken = int(np.abs(np.cumsum(sizes[order])[:-1] - tested).argmin()) + 1
        chosen = order[:taken]
        figures[run] = right[rng.integers(len(right)), chosen].sum() / sizes[chosen].sum()
    low, high = np.percentile(figures, EDGES)
    return {"low": round(float(low), 6), "high": round(float(high), 6), "share": 0.99,
            "n_test": tested, "groups": len(names)}  # fmt: skip


def _doubt(
    said: Sequence[Said],
    tracks: Mapping[str, FaceTrack],
    groups: Mapping[str, str],
    chance: tuple[int, int],
) -> dict[str, Any]:
    """The limits that all folds fit, and what those of the other folds do in each fold."""
    clips = [clip for one in said for clip in one.answers["clips"]]
    truth = np.array([t for one in said for t in one.answers["truth"]])
    shares = np.array([row for one in said for row in one.answers["shares"]])
    folds = np.array([one.number for one in said for _ in one.answers["clips"]])
    names, people = [groups[c] for c in clips], [tracks[c].identity_id for c in clips]
    found = crossed(truth, shares, names, folds)
    return {
        **Doubt.fitted(truth, shares, names).row(),
        "labels": list(said[0].answers["labels"]),
        "coverage": round(float(found["covered"].mean()), 6),
        "coverage_ci95": bootstrap_accuracy(found["covered"], people, *chance),
        "unknown": round(float(found["unknown"].mean()), 6),
        "unknown_ci95": bootstrap_accuracy(found["unknown"], people, *chance),
        "sizes": np.bincount(found["size"], minlength=shares.shape[1] + 1).tolist(),
    }


def _cheap(said: Sequence[Said], first: str) -> list[dict[str, Any]]:
    """The cheap recipe beside the line's own, on the same folds and with the same seed."""

    def accuracy(one: Said) -> float:
        return round(float(np.mean(list(one.answers["right"][first].values()))), 6)

    rows = {(one.number, one.seed): one for one in said if not one.whole}
    return [
        {"fold": one.number + 1, "n": len(one.answers["clips"]), "whole": accuracy(one),
         "cheap": accuracy(rows[one.number, one.seed])}
        for one in said if one.whole
    ]  # fmt: skip
