"""The evaluate stage: every trained network on its test side, by window, clip and person.

A protocol's own unit of analysis carries its headline. A protocol of several draws is judged on
all of them together, so that under folds every person is tested.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models import Classifier, load
from pipeline.corpus.planned import Plan, read_plan
from pipeline.evaluation import plots
from pipeline.evaluation.answers import Answers, Looks, answer, pooled, read_looks
from pipeline.evaluation.asked import Asked, called, known_doubt
from pipeline.evaluation.corruption import corruption
from pipeline.evaluation.detection import detection
from pipeline.evaluation.groups import breakdown
from pipeline.evaluation.metrics import BINARY, scores
from pipeline.evaluation.missed import asked_of, missed_row, read_missed
from pipeline.evaluation.probes import probe_all
from pipeline.evaluation.strength import strengths
from pipeline.evaluation.threshold import best_threshold
from pipeline.evaluation.units import Units, units_of
from pipeline.files import child_seed, read_json, write_json, write_jsonl, writing_folder
from pipeline.records import Sample
from pipeline.splits.draws import takes_part
from pipeline.splits.groups import age_band
from pipeline.splits.oversample import classed
from pipeline.splits.tables import read_samples
from pipeline.splits.windows import alone, cut_windows
from pipeline.store.threads import threads
from pipeline.study import Protocol, Study
from pipeline.training.calibrate import reliability, uncalibrated

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.workspace import Workspace

Row = dict[str, Any]
THREADS = 2  # whatever the machine has: the last digit of a probability follows from it


def make(workspace: "Workspace", study: Study, params: "Params") -> None:
    """Write the predictions, metrics/<study>/evaluation.json and the plots."""
    with threads(THREADS):
        _judge(workspace, study, params)


def _judge(workspace: "Workspace", study: Study, params: "Params") -> None:
    looks = read_looks(workspace.faces, study.input.channels)
    seed = child_seed(params.seed, "evaluate")
    plan = read_plan(workspace.plan)
    judge = Judge(workspace, study, (looks, plan), params.evaluate.bootstrap, seed)
    results, predictions, records = [], {}, {}
    for task, model, protocol in study.trials():
        answers = judge.answers(task, model, protocol)
        predictions[task, model, protocol] = [row for part in answers for row in part.rows()]
        records[task, model, protocol] = judge.records(task, model, protocol)
        results.append(judge.row(task, model, protocol, answers))
    probes = [judge.probes(task, protocol) for task in study.tasks for protocol in study.protocols]
    strong = strengths(workspace, study, plan, child_seed(seed, "strength"))
    judge.write_predictions()
    write_json(workspace.evaluation, {"results": results, "probes": probes, **strong})
    plots.write_plots(workspace.plots, results, predictions, records)


class Judge:
    """Judges the trained networks of a study; keeps each draw's answers for the tables."""

    def __init__(
        self, workspace: "Workspace", study: Study, seen: tuple[Looks, Plan], resamples: int,
        seed: int,
    ) -> None:  # fmt: skip
        self.workspace, self.study = workspace, study
        self.looks, self.plan = seen
        self.missed = read_missed(workspace.faces, self.plan)
        self.resamples, self.seed = resamples, seed
        self.said: dict[tuple[str, str, str], Answers] = {}

    def answers(self, task: str, model: str, protocol: str) -> list[Answers]:
        """One for each draw of the protocol, over its whole test side."""
        parts = []
        for draw in self.study.protocols[protocol].draws(protocol):
            if (task, model, draw) not in self.said:
                network = load(self.workspace.model(task, model, draw))
                tested = alone(self.tested(task, draw), self.study.models[model].reference)
                self.said[task, model, draw] = answer(network, tested, self.looks.crops)
            parts.append(self.said[task, model, draw])
        return parts

    def threshold(self, task: str, model: str, protocol: str) -> float | None:
        """From where on `positive` is said: best on the answers of the protocol that it is from.

        None: the likelier class is said. Never the test side of another protocol is looked at.
        """
        source = self.study.protocols[protocol].threshold_from
        if source is None:
            return None
        rules = self.study.protocols[source]
        known = pooled(self.answers(task, model, source), rules.repeats).trained(self.looks, True)
        if known.labels != BINARY:
            return None
        units = units_of(known, rules.unit, self.looks)
        return best_threshold(units.truth == 1, units.table[:, 1])

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
        chosen = self.threshold(task, model, protocol)
        limit = 0.5 if chosen is None else chosen
        how = (limit, seed)
        figures = {f"by_{unit}": self.figures(task, answers, unit, how) for unit in units}
        asked = Asked(self.study.tasks[task], rules, self.looks, self.plan, limit,
                      (self.resamples, child_seed(seed, "asked")))  # fmt: skip
        return {
            "task": task, "model": model, "protocol": protocol, "leaky": rules.leaky,
            "unit": rules.unit, "labels": list(answers.labels), **figures,
            "calibration": self._calibration(parts),
            "corruption": None if rules.leaky else self._corruption(first, parts[0], seed),
            "asked_only": called(everything.trained(self.looks, False), self.looks, limit,
                                 (self.resamples, child_seed(seed, "called")),
                                 known_doubt(answers, self.looks)),
            **({} if chosen is None else
               {"threshold": {"value": chosen, "from": rules.threshold_from}}),
            **asked.of(answers),
            **self._missed(task, rules, answers, how),
            **({} if rules.leaky else asked.hidden(self._networks(task, model, protocol), parts)),
        }  # fmt: skip

    def _missed(self, task: str, rules: Protocol, answers: Answers, how: tuple[float, int]) -> Row:
        """`missed`, where a face was: wrong answers where everybody is tested, else counted."""
        asked, (limit, seed) = self.study.tasks[task], how
        missed = asked_of(self.missed, asked, rules)
        clips: Units | int = units_of(answers, "clip", self.looks, limit)
        if rules.leaky or not rules.folds:  # on which side a missed clip had stood is not known
            clips = sum(
                track.trained and takes_part(track, rules)
                and asked.class_of(track.label, track.targets) is not None
                for track in self.looks.tracks.values()
            )  # fmt: skip
        chance = (self.resamples, child_seed(seed, "missed"))
        row = missed_row(missed, clips, asked, (self.looks, self.plan), chance)
        return {"missed": row} if row else {}

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

    def _networks(self, task: str, model: str, protocol: str) -> Iterator[Classifier]:
        for draw in self.study.protocols[protocol].draws(protocol):
            yield load(self.workspace.model(task, model, draw))

    def figures(self, task: str, answers: Answers, unit: str, how: tuple[float, int]) -> Row:
        """What docs/formats/evaluation.md lists under `by_<unit>`; `how` is (threshold, seed)."""
        limit, seed = how
        units = units_of(answers, unit, self.looks, limit)
        figures = scores(
            units.truth, units.table, units.people, answers.labels,
            (self.resamples, child_seed(seed, unit)),
        )  # fmt: skip
        repeats = max(answers.repeat, default=0) + 1
        figures["n_test"] = len(units.truth) // repeats  # a repeat
        how_often = (self.resamples, child_seed(seed, unit, "groups"))
        figures |= _breakdowns(units, self.looks, how_often)
        detect = self.study.tasks[task].detect
        figures["detection"] = detection(
            units.truth, units.table, units.people,
            np.array([label in detect for label in answers.labels]),
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


def _breakdowns(units: Units, looks: Looks, chance: tuple[int, int]) -> Row:
    # Who is seen, not who drives; a photographed person's unknown age or sex is a group too.
    tracks = [looks.tracks[clip] for clip in units.clips]
    seen = [track.person for track in tracks]
    values: dict[str, list[str]] = {
        "by_label": [track.label for track in tracks],
        "by_kind": [str(track.kind) for track in tracks],
        "by_age": [age_band(person.age) for person in seen],
        "by_sex": [person.sex or "unknown" for person in seen],
        "by_ethnicity": [person.ethnicity or "unknown" for person in seen],
        "by_skin_tone": [looks.tones[clip] for clip in units.clips],
    }
    people = ([person.identity_id for person in seen], units.people)
    return {name: breakdown(column, units.right, people, chance) for name, column in values.items()}
