"""The evaluate stage: every trained network on its test side, by window, clip and person.

A protocol's own unit of analysis carries its headline. A protocol of several draws is judged on
all of them together, so that under folds every person is tested.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models import Classifier, load
from pipeline.evaluation import plots
from pipeline.evaluation.answers import Answers, Looks, answer, pooled, read_looks
from pipeline.evaluation.corruption import corruption
from pipeline.evaluation.detection import detection
from pipeline.evaluation.metrics import by_value, scores
from pipeline.evaluation.probes import probe_all
from pipeline.files import child_seed, read_json, write_json, write_jsonl, writing_folder
from pipeline.records import Sample
from pipeline.splits.groups import age_band
from pipeline.splits.oversample import classed
from pipeline.splits.tables import read_samples
from pipeline.splits.windows import cut_windows
from pipeline.study import Study
from pipeline.training.calibrate import reliability, uncalibrated

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.workspace import Workspace

Row = dict[str, Any]


def make(workspace: "Workspace", study: Study, params: "Params") -> None:
    """Write the predictions, metrics/<study>/evaluation.json and the plots."""
    looks = read_looks(workspace.faces, study.input.channels)
    seed = child_seed(params.seed, "evaluate")
    judge = Judge(workspace, study, looks, params.evaluate.bootstrap, seed)
    results, predictions, records = [], {}, {}
    for task, model, protocol in study.trials():
        answers = judge.answers(task, model, protocol)
        predictions[task, model, protocol] = [row for part in answers for row in part.rows()]
        records[task, model, protocol] = judge.records(task, model, protocol)
        results.append(judge.row(task, model, protocol, answers))
    probes = [judge.probes(task, protocol) for task in study.tasks for protocol in study.protocols]
    judge.write_predictions()
    write_json(workspace.evaluation, {"results": results, "probes": probes})
    plots.write_plots(workspace.plots, results, predictions, records)


class Judge:
    """Judges the trained networks of a study; keeps each draw's answers for the tables."""

    def __init__(
        self, workspace: "Workspace", study: Study, looks: Looks, resamples: int, seed: int
    ) -> None:
        self.workspace, self.study, self.looks = workspace, study, looks
        self.resamples, self.seed = resamples, seed
        self.said: dict[tuple[str, str, str], Answers] = {}

    def answers(self, task: str, model: str, protocol: str) -> list[Answers]:
        """One for each draw of the protocol, over its whole test side."""
        parts = []
        for draw in self.study.protocols[protocol].draws(protocol):
            network = load(self.workspace.model(task, model, draw))
            said = answer(network, self.tested(task, draw), self.looks.crops)
            self.said[task, model, draw] = said
            parts.append(said)
        return parts

    def tested(self, task: str, draw: str) -> list[Sample]:
        """The test side of a draw, as the task calls it."""
        samples = classed(read_samples(self.workspace.samples(draw)), self.study.tasks[task])
        return [sample for sample in samples if sample.side == "test"]

    def records(self, task: str, model: str, protocol: str) -> list[Row]:
        """The training records of the protocol's draws."""
        draws = self.study.protocols[protocol].draws(protocol)
        paths = [self.workspace.model(task, model, draw) for draw in draws]
        return [read_json(path.with_suffix(".json")) for path in paths]

    def row(self, task: str, model: str, protocol: str, parts: Sequence[Answers]) -> Row:
        """The figures of one network under one protocol (docs/formats/evaluation.md)."""
        rules, seed = self.study.protocols[protocol], child_seed(self.seed, protocol)
        everything = pooled(parts, rules.repeats)
        answers = everything.trained(self.looks, True)
        first = load(self.workspace.model(task, model, rules.draws(protocol)[0]))
        units = ["window", "clip", *(["person"] if rules.unit == "person" else [])]
        figures = {f"by_{unit}": self._figures(task, answers, unit, seed) for unit in units}
        return {
            "task": task, "model": model, "protocol": protocol, "leaky": rules.leaky,
            "unit": rules.unit, "labels": list(answers.labels), **figures,
            "calibration": self._calibration(parts),
            "corruption": None if rules.leaky else self._corruption(first, parts[0], seed),
            "asked_only": _called(everything.trained(self.looks, False), self.looks),
        }  # fmt: skip

    def probes(self, task: str, protocol: str) -> Row:
        """What can be told without seeing the expression (`probe_all`)."""
        rules = self.study.protocols[protocol]
        table = classed(
            read_samples(self.workspace.samples(rules.draws(protocol)[0])), self.study.tasks[task]
        )
        learnt = [s for s in table if self.looks.tracks[s.clip_id].trained]
        chance = (self.resamples, child_seed(child_seed(self.seed, protocol), "probes"))
        probes = probe_all(rules, learnt, self.looks.tracks, self.looks.crops, chance)
        return {"task": task, "protocol": protocol, "leaky": rules.leaky, **probes}

    def write_predictions(self) -> None:
        """Fill the folder of predictions with <task>/<model>/<draw>.jsonl."""
        with writing_folder(self.workspace.predictions) as part:
            for (task, model, draw), answers in self.said.items():
                write_jsonl(part / task / model / f"{draw}.jsonl", answers.rows())

    def _figures(self, task: str, answers: Answers, unit: str, seed: int) -> Row:
        tracks = self.looks.tracks
        keys = answers.apart([_key(unit, sample, self.looks) for sample in answers.samples])
        names, classes, table = (
            (keys, answers.truth, answers.probabilities) if unit == "window"
            else answers.joined(keys)
        )  # fmt: skip
        clip_of = dict(zip(keys, (sample.clip_id for sample in answers.samples), strict=True))
        clips = [clip_of[name] for name in names]
        people = [tracks[clip].identity_id for clip in clips]
        figures = scores(
            classes, table, people, answers.labels, (self.resamples, child_seed(seed, unit))
        )
        figures["n_test"] = len(names) // (max(answers.repeat, default=0) + 1)  # a repeat
        figures |= _breakdowns(clips, classes == table.argmax(1), self.looks)
        detect = self.study.tasks[task].detect
        figures["detection"] = detection(
            classes, table, people, np.array([label in detect for label in answers.labels]),
            (self.resamples, child_seed(seed, unit, "alarm")),
        )  # fmt: skip
        return figures

    def _calibration(self, parts: Sequence[Answers]) -> Row:
        """Of all draws together; `temperature` is the mean of theirs, each fitted for itself."""
        known = [part.trained(self.looks, True) for part in parts]
        before = pooled([
            replace(part, probabilities=uncalibrated(part.probabilities, part.temperature))
            for part in known
        ])  # fmt: skip
        after = pooled(known)
        return {
            "temperature": round(float(np.mean([part.temperature for part in parts])), 4),
            "ece_uncalibrated": reliability(before.truth, before.probabilities)["ece"],
            **reliability(after.truth, after.probabilities),
        }

    def _corruption(self, model: Classifier, answers: Answers, seed: int) -> Row:
        answers = answers.trained(self.looks, True)
        person_of = {clip: track.identity_id for clip, track in self.looks.tracks.items()}
        return corruption(
            model, cut_windows(answers.samples, self.looks.crops), answers.truth,
            [sample.clip_id for sample in answers.samples], person_of,
            (self.resamples, child_seed(seed, "robustness")),
        )  # fmt: skip


def _key(unit: str, sample: Sample, looks: Looks) -> str:
    if unit == "person":
        return f"{looks.tracks[sample.clip_id].person.identity_id} {sample.label}"
    return sample.clip_id


def _breakdowns(clips: Sequence[str], right: np.ndarray, looks: Looks) -> Row:
    # Who is seen, not who drives; a photographed person's unknown age or sex is a group too.
    tracks = [looks.tracks[clip] for clip in clips]
    seen = [track.person for track in tracks]
    values: dict[str, list[str]] = {
        "by_label": [track.label for track in tracks],
        "by_kind": [str(track.kind) for track in tracks],
        "by_age": [age_band(person.age) for person in seen],
        "by_sex": [person.sex or "unknown" for person in seen],
        "by_ethnicity": [person.ethnicity or "unknown" for person in seen],
        "by_skin_tone": [looks.tones[clip] for clip in clips],
    }
    people = [person.identity_id for person in seen]
    return {name: by_value(column, right, people) for name, column in values.items()}


def _called(answers: Answers, looks: Looks) -> dict[str, Row]:
    """For each arm that is only asked about: in which share of its clips each class is named."""
    if not answers.samples:
        return {}
    keys = [sample.clip_id for sample in answers.samples]
    clips, member = np.unique(keys, return_inverse=True)
    sums = np.zeros((len(clips), len(answers.labels)))
    np.add.at(sums, member, answers.probabilities)
    labels = np.array([looks.tracks[clip].label for clip in clips])
    called = {}
    for label in sorted(set(labels)):
        named = sums[labels == label].argmax(1)
        shares = {
            name: round(float((named == n).mean()), 6) for n, name in enumerate(answers.labels)
        }
        called[str(label)] = {"n": len(named), "called": shares}
    return called
