"""An audit of labels: clips whose answers speak against them, and checks that a study adds itself.

cleanlab (Northcutt et al. 2021, arXiv:1911.00068) finds the labels that out-of-sample answers
contradict. Labels are set by the plan here, so it finds clips that may not show theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.errors import StageError
from pipeline.evaluation.metrics import mean_by
from pipeline.exports.library import library
from pipeline.files import read_jsonl, read_text
from pipeline.lineage.database import Index
from pipeline.lineage.index import main_trial
from pipeline.lineage.sql import rows
from pipeline.study import Study
from pipeline.workspace import Workspace

CHECKS = "checks.yaml"  # beside the study's file: name > a SELECT that finds what is wrong
SHOWN = 5  # rows of a check that are named


@dataclass(frozen=True)
class Doubt:
    """A clip whose label its answers contradict: what they say, and how sure both are."""

    clip_id: str
    label: str
    said: str
    quality: float

    def text(self) -> str:
        """One line for people."""
        return f"{self.clip_id}: labelled {self.label}, answered {self.said} ({self.quality:.2f})"


def doubts(files: Workspace, study: Study) -> list[Doubt]:
    """The doubtful clips of the study's main trial, the most doubtful first.

    Only clips that a model was tested on have an answer; under folds that is all of them. Raises
    StageError before there are answers, AssetError without cleanlab.
    """
    task, model, protocol = main_trial(study)
    tables = [files.answers(task, model, d) for d in study.protocols[protocol].draws(protocol)]
    said = [row for table in tables for row in read_jsonl(table)]
    if not said:
        raise StageError(f"{tables[0]} holds no answer; `pallor run --study {study.name}` asks")
    labels = sorted(said[0]["probabilities"])
    clips, truth, shares = mean_by(
        [row["clip_id"] for row in said],
        np.array([labels.index(row["label"]) for row in said]),
        np.array([[row["probabilities"][label] for label in labels] for row in said]),
    )
    if len(set(truth.tolist())) < len(labels):
        lacking = ", ".join(n for k, n in enumerate(labels) if k not in set(truth.tolist()))
        raise StageError(f"no tested clip is labelled {lacking}, so its label cannot be judged")
    quality = library("cleanlab.rank").get_label_quality_scores(truth, shares)
    found = library("cleanlab.filter").find_label_issues(truth, shares, n_jobs=1)
    order = sorted(np.flatnonzero(found), key=lambda place: (quality[place], clips[place]))
    return [
        Doubt(clips[n], labels[truth[n]], labels[int(shares[n].argmax())], float(quality[n]))
        for n in order
    ]


def failed_checks(files: Workspace, index: Index) -> Iterator[str]:
    """A sentence for each check of the study's `checks.yaml` that finds a row; none without a file.

    Raises StageError for a file of another form and for SQL that cannot be answered.
    """
    for name, query in read_checks(files.study_folder / CHECKS).items():
        try:
            columns, *found = rows(index, query)
        except StageError as error:
            raise StageError(f"check '{name}' of {files.study_folder / CHECKS}: {error}") from error
        if found:
            first = "; ".join(_row(columns, row) for row in found[:SHOWN])
            more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            yield f"{name}: {len(found)} found: {first}{more}"


def read_checks(path: Path) -> dict[str, str]:
    """Name > SELECT; StageError names what is no such thing."""
    if not path.is_file():
        return {}
    try:
        values: Any = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise StageError(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise StageError(f"{path} holds checks as `name: SELECT ...`, one a line")
    return {str(name): query for name, query in values.items()}


def _row(columns: tuple[object, ...], row: tuple[object, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True))
