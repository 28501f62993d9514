"""Simpler answers to the same question, side by side with the study's network.

`majority` names the commonest class; `landmarks` is a logistic regression on the true landmarks of
rendered clips, what geometry alone can tell; the other small networks of the registry are trained
as the study's is, on the same windows and for as long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import Classifier, load
from pipeline.corpus.render import read_truth
from pipeline.errors import StageError
from pipeline.evaluation.answers import answer
from pipeline.evaluation.metrics import bootstrap_accuracy, mean_by
from pipeline.files import child_seed
from pipeline.params import Params
from pipeline.records import FaceTrack, Sample
from pipeline.splits.tables import read_samples, read_tracks
from pipeline.splits.validation import hold_out
from pipeline.splits.windows import Crops, alone, load_crops
from pipeline.study import Study
from pipeline.training.learn import Recipe, learn
from pipeline.training.train import Trial, trials

if TYPE_CHECKING:
    from pipeline.workspace import Workspace

# The large ones of published studies would take longer than all of these, and compare nothing here.
NETWORKS = ("cnn3d", "cnnlstm", "convlstm", "framecnn")
SHOWN = np.r_[17:27, 36:68]  # brows, eyes and mouth of the 68; the outline hides behind a turn


@dataclass(frozen=True)
class Verdict:
    """Test clips, whether each was named rightly, and the network's size (None: not a network)."""

    clips: list[str]
    right: np.ndarray
    parameters: int | None


def compare(
    workspace: "Workspace",
    study: Study,
    params: Params,
    protocol: str,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Clip accuracy of every baseline and of the study's first network under a protocol.

    Each row: `accuracy`, `accuracy_ci95`, `n_test` clips, `parameters` (None: not a network).
    """
    draw = study.protocols[protocol].draws(protocol)[0]
    seed = child_seed(child_seed(params.seed, "baselines"), draw)
    trial = next(t for t in trials(workspace, study, params) if t.draw == draw)
    table = alone(read_samples(trial.table), trial.reference)
    tracks = {track.clip_id: track for track in read_tracks(workspace.faces)}
    table = [sample for sample in table if tracks[sample.clip_id].trained]
    tested = [sample for sample in table if sample.side == "test"]
    if not tested:
        raise StageError("the test side is empty, so there is nothing to compare on")
    crops = load_crops(workspace.faces, tracks, trial.channels)
    trained = load(workspace.model(trial.task, trial.model, draw))
    verdicts = {
        "majority": majority(table, tested),
        "landmarks": landmarks(table, workspace.clips, tracks),
        trial.model: judged(trained, tested, crops),
    }
    for name in (name for name in NETWORKS if name not in verdicts):
        say(f"baselines {protocol}: {name}")
        made, epochs = _taught(name, replace(trial, seed=seed), table, crops)
        say(f"baselines {protocol}: {name}, {epochs} epochs")
        verdicts[name] = judged(made, tested, crops)
    chance = (params.evaluate.bootstrap, seed)
    return {name: _row(verdict, tracks, chance) for name, verdict in sorted(verdicts.items())}


def _taught(
    name: str, trial: Trial, table: Sequence[Sample], crops: Crops
) -> tuple[Classifier, int]:
    """Another network in the trial's place, with its own usual parameters."""
    fraction = trial.params.validation_fraction
    parts = hold_out(table, trial.together, fraction, child_seed(trial.seed, "carve"))
    recipe = Recipe(name, trial.params, {}, trial.mirror)
    model, curve = learn(recipe, parts, crops, child_seed(trial.seed, name), lambda row: None)
    return model, len(curve)


def majority(table: Sequence[Sample], tested: Sequence[Sample]) -> Verdict:
    """Always the class with most original training windows; of equals the first by name."""
    labels = [s.label for s in table if s.side == "train" and s.origin is None]
    names, counts = np.unique(labels, return_counts=True)
    label = {sample.clip_id: sample.label for sample in tested}
    clips = sorted(label)
    said = names[counts.argmax()]
    return Verdict(clips, np.array([label[clip] == said for clip in clips]), None)


def landmarks(table: Sequence[Sample], clips: Path, tracks: Mapping[str, FaceTrack]) -> Verdict:
    """Logistic regression on the true landmarks of avatar clips: what geometry alone can tell.

    Trained and tested on the avatars of the two sides; transferred clips have no truth.
    """
    sides: dict[str, list[Sample]] = {
        side: [s for s in table if s.side == side and not s.origin
               and tracks[s.clip_id].kind == "avatar"]
        for side in ("train", "test")
    }  # fmt: skip
    truth = {
        clip: read_truth(clips / f"{clip}.npz")["landmarks_px"]
        for clip in {s.clip_id for side in sides.values() for s in side}
    }
    features = {
        side: np.stack([shape(truth[s.clip_id][s.start : s.start + s.length]) for s in samples])
        for side, samples in sides.items()
    }
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(features["train"], [s.label for s in sides["train"]])
    shares = model.predict_proba(features["test"])
    order = {label: number for number, label in enumerate(model.classes_)}
    truths = np.array([order[s.label] for s in sides["test"]])
    names, classes, mean = mean_by([s.clip_id for s in sides["test"]], truths, shares)
    return Verdict(names, mean.argmax(1) == classes, None)


def shape(points: np.ndarray) -> np.ndarray:
    """(T, 68, 2) landmarks px > (T * 42 * 2,): SHOWN, centred and scaled by the first frame."""
    shown = points[:, SHOWN].astype(np.float64)
    centre = shown[0].mean(axis=0)
    return ((shown - centre) / np.sqrt(((shown[0] - centre) ** 2).mean())).ravel()


def judged(model: Classifier, tested: Sequence[Sample], crops: Crops) -> Verdict:
    """A network's answers for whole clips: the mean over each one's windows."""
    said = answer(model, tested, crops)
    names, classes, mean = said.joined([sample.clip_id for sample in tested])
    size = sum(weights.numel() for weights in model.network.parameters())
    return Verdict(names, mean.argmax(1) == classes, size)


def _row(
    verdict: Verdict, tracks: Mapping[str, FaceTrack], chance: tuple[int, int]
) -> dict[str, Any]:
    people = [tracks[clip].identity_id for clip in verdict.clips]
    return {
        "accuracy": round(float(verdict.right.mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(verdict.right, people, *chance),
        "n_test": len(verdict.clips),
        "parameters": verdict.parameters,
    }
