"""Every person tested once: k trainings on whole groups of people, each asked about the others.

The clean split asks its question of four people or so; folds ask it of all of them, with a model
for each fold, so the interval is as narrow as the corpus allows.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.errors import StageError
from pipeline.evaluation.metrics import by_value, mean_by, scores
from pipeline.files import child_seed, read_jsonl
from pipeline.params import Params
from pipeline.records import FaceTrack, Sample
from pipeline.splits.oversample import crop_features, oversample
from pipeline.splits.windows import clips_of, cut_windows, load_crops
from pipeline.training.train import carve, read_samples, train_network


@dataclass(frozen=True)
class Fold:
    """One training: the clean table with the fold on the side `test`, and what it is made with."""

    table: list[Sample]
    faces: Path
    params: Params
    seed: int


@dataclass(frozen=True)
class Answers:
    """A fold's clips with their true class and mean probabilities (N, classes)."""

    clips: list[str]
    truth: np.ndarray
    probabilities: np.ndarray
    labels: tuple[str, ...]
    epochs: int


def cross_validate(
    split: Path, faces: Path, params: Params, folds: int, workers: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Figures over all clips (as `metrics.scores`, by clip), `by_kind`, and a row a fold.

    `split` is the table of the clean protocol; its groups stay whole, its sides are drawn anew.
    Raises StageError when there are fewer groups than folds.
    """
    seed = child_seed(params.seed, "folds")
    tracks = {row["clip_id"]: FaceTrack.parse(row) for row in read_jsonl(faces / "faces.jsonl")}
    made = [
        Fold(table, faces, params, child_seed(seed, number))
        for number, table in enumerate(draw(read_samples(split), folds, seed))
    ]
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        answers = []
        for answer in pool.map(answer_fold, made):
            answers.append(answer)
            say(f"fold {len(answers)}/{folds}: {_accuracy(answer):.1%} of {len(answer.clips)}")
    return _joined(answers, tracks, params, seed)


def draw(samples: Sequence[Sample], folds: int, seed: int) -> list[list[Sample]]:
    """For each fold all samples, those of its groups on the side `test`, the rest on `train`."""
    groups = [sample.group for sample in samples]
    if len(set(groups)) < folds:
        raise StageError(f"{len(set(groups))} groups of people are too few for {folds} folds")
    labels = [sample.label for sample in samples]
    drawer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    tables = []
    for _, tested in drawer.split(labels, labels, groups):
        chosen = set(tested.tolist())
        tables.append([
            sample.model_copy(update={"side": "test" if index in chosen else "train"})
            for index, sample in enumerate(samples)
        ])  # fmt: skip
    return tables


def answer_fold(fold: Fold) -> Answers:
    """Oversample, carve and train as the line does for `clean`; what that says of the fold."""
    tested = [sample for sample in fold.table if sample.side == "test"]
    seed, features = child_seed(fold.seed, "oversample"), crop_features(fold.faces)
    table = oversample(fold.table, fold.params.oversample, seed, features)
    fraction = fold.params.train.validation_fraction
    fitted, held = carve("clean", table, fraction, child_seed(fold.seed, "carve"))
    crops = load_crops(fold.faces, clips_of(fold.table))
    model, curve = train_network(
        "convlstm", fitted, held, crops, fold.params.train, child_seed(fold.seed, "fit"),
        lambda row: None, hidden=fold.params.train.hidden,
    )  # fmt: skip
    truth = np.array([model.labels.index(sample.label) for sample in tested])
    shares = model.probabilities(cut_windows(tested, crops))
    joined = mean_by([sample.clip_id for sample in tested], truth, shares)
    return Answers(*joined, model.labels, len(curve))


def _joined(
    answers: Sequence[Answers], tracks: dict[str, FaceTrack], params: Params, seed: int
) -> dict[str, Any]:
    clips = [clip for answer in answers for clip in answer.clips]
    truth = np.concatenate([answer.truth for answer in answers])
    shares = np.concatenate([answer.probabilities for answer in answers])
    people = [tracks[clip].identity_id for clip in clips]
    figures = scores(
        truth, shares, people, answers[0].labels, params.evaluate.bootstrap,
        child_seed(seed, "bootstrap"),
    )  # fmt: skip
    kinds = by_value([str(tracks[clip].kind) for clip in clips], truth == shares.argmax(1), people)
    rows = [
        {"accuracy": round(_accuracy(answer), 6), "n_test": len(answer.clips),
         "epochs": answer.epochs} for answer in answers
    ]  # fmt: skip
    return {"unit": "clip", **figures, "by_kind": kinds, "folds": rows}


def _accuracy(answer: Answers) -> float:
    return float((answer.truth == answer.probabilities.argmax(1)).mean())
