"""What a study's tasks ask beyond their figures: dose, groups, hidden parts, arms never learnt.

Each is a plain function of its own module; a study asks for them by name in its file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models import Classifier
from pipeline.corpus.planned import Plan
from pipeline.evaluation.answers import Answers, Looks, pooled
from pipeline.evaluation.conformal import NEVER, Doubt
from pipeline.evaluation.dose import dose_response
from pipeline.evaluation.groups import errors_by, grouped
from pipeline.evaluation.hide import hidden
from pipeline.evaluation.metrics import areas_of, ends_of, mean_by, resampled
from pipeline.evaluation.threshold import shifted
from pipeline.evaluation.units import Units, doses, units_of
from pipeline.splits.groups import group_clips
from pipeline.splits.windows import cut_windows
from pipeline.study import Protocol
from pipeline.task import Task

Row = dict[str, Any]
Chance = tuple[int, int]  # resamples, seed


@dataclass(frozen=True)
class Asked:
    """One task under one protocol, whose two classes part at the threshold `limit`."""

    task: Task
    rules: Protocol
    looks: Looks
    plan: Plan
    limit: float
    chance: Chance

    def of(self, answers: Answers) -> Row:
        """`dose` and `errors_by`, where the task asks for them, in the protocol's unit."""
        units, found = self._units(answers), {}
        if self.task.dose:
            response = dose_response(
                doses(units.samples, self.task.dose), units.truth == 1, units.table[:, 1],
                units.people, self.chance,
            )  # fmt: skip
            found["dose"] = {"of": self.task.dose, **(response or {"bins": []})}
        if self.task.errors_by:
            values = grouped(units.clips, self.task.errors_by, self.looks, self.plan)
            found["errors_by"] = {
                name: errors_by(column, units.right, units.people, self.chance)
                for name, column in values.items()
            }
        return found

    def hidden(self, networks: Iterable[Classifier], parts: Sequence[Answers]) -> Row:
        """`hidden`, where the task asks for it: for each part what is left without seeing it."""
        if not self.task.hide:
            return {}
        whole = self._units(pooled(parts, self.rules.repeats))
        said: dict[str, list[Answers]] = {part: [] for part in self.task.hide}
        for network, answers in zip(networks, parts, strict=True):
            windows = cut_windows(answers.samples, self.looks.crops)
            for part in self.task.hide:
                table = network.probabilities(hidden(windows, part)).round(6)
                said[part].append(replace(answers, probabilities=table))
        return {
            "hidden": {
                part: _lost(whole, self._units(pooled(found, self.rules.repeats)), self.chance)
                for part, found in said.items()
            }
        }

    def _units(self, answers: Answers) -> Units:
        known = answers.trained(self.looks, True)
        return units_of(known, self.rules.unit, self.looks, self.limit)


def known_doubt(answers: Answers, looks: Looks) -> Doubt:
    """From when on an answer is none, by the clips of a test side whose classes are known.

    Groups of people weigh alike; too few of them, as under one small draw, can promise nothing.
    """
    keys = answers.apart([sample.clip_id for sample in answers.samples])
    names, truth, table = answers.joined(keys)
    clip_of = dict(zip(keys, (sample.clip_id for sample in answers.samples), strict=True))
    groups = group_clips(list(looks.tracks.values()))
    return Doubt.fitted(truth, table, [groups[clip_of[name]] for name in names])


def called(
    answers: Answers, looks: Looks, limit: float, chance: Chance, doubt: Doubt
) -> dict[str, Row]:
    """For each arm that is only asked about: in which share of its clips each class is named.

    `n` clips of `n_people`, `called` by class and `called_ci95` over people; by a `doubt` that can
    promise something also `unknown`, the share of which the answer is none, and `unknown_ci95`.
    """
    if not answers.samples:
        return {}
    keys = answers.apart([sample.clip_id for sample in answers.samples])
    truth = np.zeros(len(keys), dtype=int)  # what it is called is asked, not what it is
    names, _, table = mean_by(keys, truth, answers.probabilities)
    clip_of = dict(zip(keys, (sample.clip_id for sample in answers.samples), strict=True))
    tracks = [looks.tracks[clip_of[name]] for name in names]
    named = shifted(table, limit).argmax(1)
    labels = np.array([track.label for track in tracks])
    people = np.array([track.identity_id for track in tracks])
    found = {}
    for label in sorted(set(labels.tolist())):
        mine = labels == label
        drawn = resampled(people[mine].tolist(), *chance)
        said = {name: named[mine] == n for n, name in enumerate(answers.labels)}
        found[label] = {
            "n": len({clip_of[name] for name, kept in zip(names, mine, strict=True) if kept}),
            "n_people": len(set(people[mine].tolist())),
            "called": {name: round(float(share.mean()), 6) for name, share in said.items()},
            "called_ci95": {
                name: ends_of((drawn @ share) / drawn.sum(1)) for name, share in said.items()
            },
            **_unknown(table[mine], drawn, doubt),
        }
    return found


def _unknown(table: np.ndarray, drawn: np.ndarray, doubt: Doubt) -> Row:
    if doubt.unsure == NEVER:
        return {}
    unknown = doubt.unknown(table)
    return {
        "unknown": round(float(unknown.mean()), 6),
        "unknown_ci95": ends_of((drawn @ unknown) / drawn.sum(1)),
    }


def _lost(whole: Units, less: Units, chance: Chance) -> Row:
    """Accuracy, and of two classes AUC, of the `less`, and how much is lost to the `whole`."""
    drawn = resampled(whole.people, *chance)
    once = np.ones((1, len(whole.truth)))
    row: Row = {"n": len(whole.truth)}
    for name, (before, after) in _pairs(whole, less).items():
        values = [(before(d), after(d)) for d in (once, drawn)]
        row[name] = round(float(values[0][1][0]), 6)
        row[f"{name}_ci95"] = ends_of(values[1][1])
        row[f"{name}_lost"] = round(float(values[0][0][0] - values[0][1][0]), 6)
        row[f"{name}_lost_ci95"] = ends_of(values[1][0] - values[1][1])
    return row


def _pairs(whole: Units, less: Units) -> dict[str, list[Any]]:
    def accuracy(units: Units) -> Any:
        return lambda drawn: (drawn @ units.right) / drawn.sum(1)

    def area(units: Units) -> Any:
        return lambda drawn: areas_of(units.truth == 1, units.table[:, 1], drawn)

    figures = {"accuracy": accuracy}
    if whole.table.shape[1] == 2 and 0 < whole.truth.sum() < len(whole.truth):
        figures["auc"] = area
    return {name: [make(whole), make(less)] for name, make in figures.items()}
