"""The figure of record in words, and whether a single run's figure falls where it must."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.conformal import Doubt
from pipeline.files import read_json
from pipeline.report.templates import interval, percent

if TYPE_CHECKING:
    from pipeline.evaluation.results import Results
    from pipeline.study import Study
    from pipeline.workspace import Workspace

MISSING = "figure of record: not measured yet; `pallor folds` does it"


def read_record(workspace: "Workspace") -> Mapping[str, Any] | None:
    """folds.json of the study's metrics; None where it was not made or the study asks for none."""
    if not workspace.folds.is_file():
        return None
    found: Mapping[str, Any] = read_json(workspace.folds)
    return found if found["models"] else None


def record_lines(workspace: "Workspace") -> list[str]:
    """The table of models, the range of a single run, the doubt; shares are per cent."""
    record = read_record(workspace)
    if record is None:
        return [MISSING]
    recipe, models = record["recipe"], record["models"]
    clips = models[record["first"]]["n_test"]
    lines = [
        f"figure of record: {clips} clips, each tested once in {recipe['folds']} folds of whole "
        "groups of people",
        f"  {'model':<12}{'seeds':>6}{'accuracy':>10}{'95 % interval':>18}{'seeds from to':>18}",
    ]
    for name, row in models.items():
        low, high = min(row["seeds"]), max(row["seeds"])
        lines.append(
            f"  {name:<12}{len(row['seeds']):>6}{percent(row['accuracy']):>10}"
            f"{interval(row['accuracy_ci95']):>18}{interval([low, high]):>18}"
        )
    doubt = record["doubt"]
    return [
        *lines,
        f"  sets of classes that promise {percent(1 - doubt['alpha'])} hold the true one in "
        f"{percent(doubt['coverage'])} ({interval(doubt['coverage_ci95'])}); "
        f"{percent(doubt['unknown'])} are called unknown",
        *(
            f"  fold {row['fold']} by the line's whole recipe {percent(row['whole'])}, by this "
            f"cheaper one {percent(row['cheap'])}, of {row['n']} clips"
            for row in record["cheap"]
        ),
    ]


def single_lines(workspace: "Workspace", study: "Study", results: "Results") -> list[str]:
    """Does the clean figure of this run fall where 99 % of single runs do?"""
    run = single_run(workspace, study, results)
    if run is None:
        return []
    told = "does" if run["within"] else "DOES NOT"
    return [
        f"  a single run's clean figure must fall in {interval([run['low'], run['high']])}; "
        f"this run's {percent(run['value'])} {told}"
    ]


def single_run(workspace: "Workspace", study: "Study", results: "Results") -> dict[str, Any] | None:
    """This run's clean accuracy by clip as `value`, whether it is `within` the record's range of a
    single run, and that range's `low`, `high` and `share`; None without a record or such a row."""
    record, row = read_record(workspace), results.first(study, leaky=False)
    if record is None or row is None:
        return None
    value = row["by_clip"]["accuracy"]
    return {**record["single_run"], "value": value, "within": in_range(record, value)}


def doubt_of(workspace: "Workspace", study: "Study", model: Path) -> Doubt | None:
    """When an answer of this model file is none; None where its folds were not measured.

    The record is of the study's first task and network under a protocol that does not leak.
    """
    record = read_record(workspace)
    task, name, _ = study.trials()[0]
    draws = [draw for protocol, draw in study.draws() if not study.protocols[protocol].leaky]
    if record is None or model not in [workspace.model(task, name, draw) for draw in draws]:
        return None
    return Doubt.read(record["doubt"])


def in_range(record: Mapping[str, Any], value: float) -> bool:
    """Is a single run's accuracy by clip within the record's range, its ends included?"""
    run = record["single_run"]
    return bool(run["low"] - 1e-6 <= value <= run["high"] + 1e-6)


def said_with(doubt: Doubt | None, probabilities: Mapping[str, float]) -> str:
    """An answer's set of classes, or that it is none, in a sentence."""
    if doubt is None:
        return (
            "how sure this answer is was not measured; `pallor folds` does it for the clean model"
        )
    shares = np.array([list(probabilities.values())])
    if doubt.unknown(shares)[0]:
        return "unknown: less sure than nine in ten known faces, so this may be none of the classes"
    names = [name for name, held in zip(probabilities, doubt.sets(shares)[0], strict=True) if held]
    told = ", ".join(names) or "none of the classes"
    return f"{told}: holds the class of nine in ten faces like the corpus', not of patients"
