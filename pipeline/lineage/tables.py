"""The tables of a study against each other: labels, sides, copies and figures.

A hash says that a file differs; these say what in it. They find an edit even when whoever made it
has put every hash right, because one table's edit contradicts the others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import mean_by
from pipeline.files import child_seed
from pipeline.lineage.checks import Facts, Finding, check_plan, mislabelled, planned_facts
from pipeline.lineage.corpus import Corpus
from pipeline.params import Params
from pipeline.records import FaceTrack, Partner, Sample, short_id
from pipeline.splits.groups import families
from pipeline.splits.oversample import class_counts, classed
from pipeline.splits.split import split
from pipeline.study import Study
from pipeline.workspace import Workspace


def check_tables(corpus: Corpus, study: Study, params: Params) -> Iterator[Finding]:
    """Every contradiction inside a study's corpus; none for one that the stages made."""
    names, planned = Workspace(study.name), dict(planned_facts(corpus))
    yield from check_plan(corpus, study, planned)
    for draw, rows in corpus.splits.items():
        yield from _check_windows(rows, planned, names.samples(draw))
    for task, draw in corpus.oversampled:
        yield from _check_copies(corpus, study, task, draw)
    for key in corpus.predictions:
        yield from _check_predictions(corpus, study, key, planned)
    for trial in study.trials():
        yield from _check_figures(corpus, study, *trial)
    # Drawn from what was planned: an edited track is one finding, not another split as well.
    known = [track for track in corpus.tracks if track.clip_id in planned]
    tracks = [FaceTrack.parse(track.row() | planned[track.clip_id]) for track in known]
    yield from _check_sides(corpus, tracks, study, params)
    yield from _check_people(corpus, tracks, study)


def _check_windows(rows: list[Sample], planned: Facts, table: Path) -> Iterator[Finding]:
    for row in rows:
        content = {"clip_id": row.clip_id, "start": row.start, "length": row.length}
        if short_id("sample", content) != row.sample_id:
            yield Finding("edited manifest", str(table), f"{row.sample_id} is another window's id")
        true = planned.get(row.clip_id, {}).get("label")
        if row.label != true:
            yield mislabelled(table, row.sample_id, row.label, true)


def _check_sides(
    corpus: Corpus, tracks: list[FaceTrack], study: Study, params: Params
) -> Iterator[Finding]:
    # The draw is made again from its seed: whatever stands elsewhere was moved.
    for draw, wanted in split(tracks, study, child_seed(params.seed, "split")).items():
        samples = {sample.sample_id: sample for sample in wanted}
        table = str(Workspace(study.name).samples(draw))
        for row in corpus.splits[draw]:
            sample = samples.pop(row.sample_id, None)
            if sample is None or row.side != sample.side:
                side = sample.side if sample else "nowhere"
                detail = f"{row.sample_id} of {row.clip_id} is on {row.side}, drawn {side}"
                yield Finding("sample moved", table, detail)
            elif row != sample.model_copy(update={"label": row.label}):  # a label is said once
                yield Finding("edited manifest", table, f"{row.sample_id} is not as it was drawn")
        for name in samples:
            yield Finding("edited manifest", table, f"{name} was drawn but is not there")


def _check_people(corpus: Corpus, tracks: list[FaceTrack], study: Study) -> Iterator[Finding]:
    for protocol, draw in study.draws():
        rules = study.protocols[protocol]
        family = families(tracks, rules.together)
        sides: dict[str, set[str]] = {}
        for row in [] if rules.leaky else corpus.splits[draw]:
            sides.setdefault(family.get(row.clip_id, row.group), set()).add(row.side)
        for name in sorted(name for name, found in sides.items() if len(found) > 1):
            detail = f"the {rules.together} of {name} is split"
            where = str(Workspace(study.name).samples(draw))
            yield Finding("people on both sides", where, detail)


def _check_copies(corpus: Corpus, study: Study, task: str, draw: str) -> Iterator[Finding]:
    names = Workspace(study.name)
    table = str(names.training_samples(task, draw))
    asked, rows = classed(corpus.splits[draw], study.tasks[task]), corpus.oversampled[task, draw]
    for ours, theirs in zip(asked, rows, strict=False):
        if ours != theirs:
            detail = f"{theirs.sample_id} is not the row of {names.samples(draw)}"
            yield Finding("edited manifest", table, detail)
    originals = {row.sample_id: row for row in asked}
    numbers: Counter[str] = Counter()
    for copy in rows[len(asked) :]:
        numbers[copy.origin or ""] += 1
        yield from _check_copy(copy, originals, numbers, table)
    if corpus.balance[task][draw] != class_counts(asked, rows):
        detail = f"{task} {draw}: the tables hold other numbers of windows"
        yield Finding("figure without ground", str(names.balance), detail)


def _check_copy(
    copy: Sample, originals: dict[str, Sample], numbers: Counter[str], table: str
) -> Iterator[Finding]:
    origin = originals.get(copy.origin or "")
    if origin is None or origin.side != "train" or copy.side != "train":
        side = origin.side if origin else "no"
        detail = f"{copy.sample_id} is a copy on {copy.side} of a sample on the {side} side"
        yield Finding("oversampling outside training", table, detail)
        return
    if copy.partner and not _may_blend(copy.partner, originals, origin):
        detail = f"{copy.sample_id} is blended with {copy.partner.sample_id}, no training window "
        yield Finding("oversampling outside training", table, detail + f"of {origin.label}")
    if copy.label != origin.label:
        yield mislabelled(table, copy.sample_id, copy.label, origin.label)
    elif copy != origin.copied(numbers[origin.sample_id], copy.partner):
        detail = f"{copy.sample_id} is not its origin's copy"
        yield Finding("edited manifest", table, detail)


def _may_blend(said: Partner, originals: dict[str, Sample], origin: Sample) -> bool:
    partner = originals.get(said.sample_id)
    if partner is None or partner.side != "train" or partner.label != origin.label:
        return False
    return (said.clip_id, said.start) == (partner.clip_id, partner.start)


def _check_predictions(
    corpus: Corpus, study: Study, key: tuple[str, str, str], planned: Facts
) -> Iterator[Finding]:
    task, _, draw = key
    table = str(Workspace(study.name).answers(*key))
    rows = corpus.predictions[key]
    asked = classed(corpus.splits[draw], study.tasks[task])
    tested = [row.sample_id for row in asked if row.side == "test"]
    for name in _differing(tested, (row["sample_id"] for row in rows)):
        yield Finding("edited manifest", table, f"{name} is not tested and predicted once")
    for row in rows:
        facts = planned.get(row["clip_id"])
        true = study.tasks[task].class_of(facts["label"], facts["targets"]) if facts else None
        if row["label"] != true:
            yield mislabelled(table, row["sample_id"], row["label"], true)


def _check_figures(
    corpus: Corpus, study: Study, task: str, model: str, protocol: str
) -> Iterator[Finding]:
    draws = study.protocols[protocol].draws(protocol)
    rows = [row for draw in draws for row in corpus.predictions[task, model, draw]]
    stated = corpus.evaluation.row(task, model, protocol)
    for unit, accuracy in accuracies(rows, corpus.tracks).items():
        said = stated.get(f"by_{unit}", {"accuracy": accuracy})["accuracy"]
        if abs(accuracy - said) > 1e-6:
            detail = f"{task} {model} {protocol}: accuracy by {unit} is stated as {said}, "
            detail += f"its predictions give {accuracy}"
            where = str(Workspace(study.name).evaluation)
            yield Finding("figure without ground", where, detail)


def accuracies(rows: list[dict[str, Any]], tracks: Iterable[FaceTrack]) -> dict[str, float]:
    """Accuracy by `window`, `clip` and `person` (mean probabilities), from prediction rows alone.

    Clips of arms that are only asked about do not count; nothing is told where all are such.
    """
    seen = {track.clip_id: track.person.identity_id for track in tracks if track.trained}
    rows = [row for row in rows if row["clip_id"] in seen]
    keys = {
        "window": [row["sample_id"] for row in rows],
        "clip": [row["clip_id"] for row in rows],
        "person": [f"{seen[row['clip_id']]} {row['label']}" for row in rows],
    }
    return {unit: _accuracy(rows, names) for unit, names in keys.items() if rows}


def wrong(rows: list[dict[str, Any]]) -> dict[str, float]:
    """For each tested sample: the share of the draws that test it in which another class is named.

    A mean over repeats, as the figures are, never the error of an ensemble.
    """
    errors: dict[str, list[bool]] = {}
    for row in rows:
        errors.setdefault(row["sample_id"], []).append(row["predicted"] != row["label"])
    return {name: sum(found) / len(found) for name, found in errors.items()}


def _accuracy(rows: list[dict[str, Any]], keys: list[str]) -> float:
    # A protocol tests a sample once a repeat, and each repeat counts for itself.
    times: Counter[str] = Counter()
    apart = []
    for row, key in zip(rows, keys, strict=True):
        apart.append(f"{key} #{times[row['sample_id']]}")
        times[row["sample_id"]] += 1
    _, truth, table = _joined(rows, apart)
    return round(float((table.argmax(1) == truth).mean()), 6)


def _joined(
    rows: list[dict[str, Any]], keys: list[str]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    labels = sorted(rows[0]["probabilities"])
    table = np.array([[row["probabilities"][label] for label in labels] for row in rows])
    return mean_by(keys, np.array([labels.index(row["label"]) for row in rows]), table)


def _differing(expected: Iterable[str], found: Iterable[str]) -> list[str]:
    once, seen = Counter(expected), Counter(found)
    return sorted(name for name in once | seen if once[name] != seen[name])
