"""Every person tested once: k trainings on whole groups of people, each asked about the others.

A split of one draw asks its question of a few people; folds ask it of all of them, with a model for
each fold, so the interval is as narrow as the corpus allows. A study may hold folds as a protocol;
this asks them of a study that does not, without a stage.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.answers import Answers, answer, pooled
from pipeline.evaluation.metrics import by_value, scores
from pipeline.files import child_seed
from pipeline.params import Params
from pipeline.records import FaceTrack, Sample
from pipeline.splits.draws import draw_folds
from pipeline.splits.oversample import classed, crop_features, oversample
from pipeline.splits.split import cut, on_sides
from pipeline.splits.tables import read_tracks
from pipeline.splits.validation import hold_out
from pipeline.splits.windows import alone, clips_of, load_crops
from pipeline.study import Protocol, Study
from pipeline.training.learn import learn
from pipeline.training.train import Trial, trials

if TYPE_CHECKING:
    from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Fold:
    """One training: its samples, the fold on the side `test`, and how the network is taught."""

    table: list[Sample]
    trial: Trial
    params: Params


def cross_validate(
    workspace: "Workspace",
    study: Study,
    params: Params,
    folds: int,
    workers: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Figures of the study's first task and model over all clips, `by_kind`, and a row a fold.

    Raises StageError when there are fewer groups of people than folds.
    """
    seed = child_seed(params.seed, "folds")
    kept = [track for track in read_tracks(workspace.faces) if track.trained]
    tracks = sorted(kept, key=lambda track: track.clip_id)
    windows = list(cut(tracks, study.input))
    rules = Protocol(unit="clip", together="group", leaky=False, folds=folds)
    trial, made = _trial(workspace, study, params), []
    for number, sides in enumerate(draw_folds(tracks, windows, rules, seed)):
        table = classed(on_sides(tracks, windows, rules, sides), study.tasks[trial.task])
        table = alone(table, trial.reference)
        made.append(Fold(table, replace(trial, seed=child_seed(seed, number)), params))
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    answers: list[Answers] = []
    rows = []
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for part, epochs in pool.map(answer_fold, made):
            answers.append(part)
            rows.append({**_accuracy(part), "epochs": epochs})
            say(f"fold {len(rows)}/{folds}: {rows[-1]['accuracy']:.1%} of {rows[-1]['n_test']}")
    figures = _joined(answers, {track.clip_id: track for track in tracks}, params, seed)
    return {"unit": "clip", **figures, "folds": rows}


def answer_fold(fold: Fold) -> tuple[Answers, int]:
    """Oversample, hold out and train as the line does; what that says of the fold, epochs used."""
    trial = fold.trial
    features = crop_features(trial.faces)
    seed = child_seed(trial.seed, "oversample")
    table = oversample(fold.table, fold.params.oversample, seed, features)
    fraction = trial.params.validation_fraction
    parts = hold_out(table, trial.together, fraction, child_seed(trial.seed, "carve"))
    crops = load_crops(trial.faces, clips_of(fold.table), trial.channels)
    seed = child_seed(trial.seed, "fit")
    model, curve = learn(trial.recipe, parts, crops, seed, lambda row: None)
    tested = [sample for sample in fold.table if sample.side == "test"]
    return answer(model, tested, crops), len(curve)


def _trial(workspace: "Workspace", study: Study, params: Params) -> Trial:
    """The study's first network, still without the table and the seed of a fold."""
    first = trials(workspace, study, params)[0]
    return replace(first, draw="folds", together="group")


def _joined(
    answers: list[Answers], tracks: dict[str, FaceTrack], params: Params, seed: int
) -> dict[str, Any]:
    whole = pooled(answers)
    clips, truth, shares = whole.joined([sample.clip_id for sample in whole.samples])
    people = [tracks[clip].identity_id for clip in clips]
    chance = (params.evaluate.bootstrap, child_seed(seed, "bootstrap"))
    figures = scores(truth, shares, people, whole.labels, chance)
    kinds = [str(tracks[clip].kind) for clip in clips]
    return {**figures, "by_kind": by_value(kinds, truth == shares.argmax(1), people)}


def _accuracy(part: Answers) -> dict[str, Any]:
    clips, truth, shares = part.joined([sample.clip_id for sample in part.samples])
    right = truth == shares.argmax(1)
    return {"accuracy": round(float(right.mean()), 6), "n_test": len(clips)}
