"""Simpler answers to the same question, side by side with the ConvLSTM.

`majority` names the commonest class; `landmarks` is a logistic regression on the true landmarks of
rendered clips, what geometry alone can tell; the other networks of `models.MODELS` are trained as
the ConvLSTM is, on the same windows and for as long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import MODELS, Classifier, load
from pipeline.corpus.render import read_truth
from pipeline.errors import StageError
from pipeline.evaluation.metrics import bootstrap_accuracy, mean_by
from pipeline.files import child_seed, read_jsonl
from pipeline.params import Params
from pipeline.records import FaceTrack, Protocol, Sample
from pipeline.splits.windows import Crops, cut_windows, load_crops
from pipeline.training.train import carve, read_samples, train_network

SHOWN = np.r_[17:27, 36:68]  # brows, eyes and mouth of the 68; the outline hides behind a turn


@dataclass(frozen=True)
class Folders:
    """Where a workspace keeps what the baselines read."""

    clips: Path
    faces: Path
    oversampled: Path
    models: Path


@dataclass(frozen=True)
class Answer:
    """Test clips, whether each was named rightly, and the network's size (None: not a network)."""

    clips: list[str]
    right: np.ndarray
    parameters: int | None


def compare(
    protocol: Protocol, folders: Folders, params: Params, seed: int, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Clip accuracy of every baseline and of the trained ConvLSTM on a protocol's test side.

    Each row: `accuracy`, `accuracy_ci95`, `n_test` clips, `parameters` (None: not a network).
    """
    table = read_samples(folders.oversampled / f"{protocol}.jsonl")
    tracks = {
        row["clip_id"]: FaceTrack.parse(row) for row in read_jsonl(folders.faces / "faces.jsonl")
    }
    tested = [sample for sample in table if sample.side == "test"]
    if not tested:
        raise StageError("the test side is empty, so there is nothing to compare on")
    crops = load_crops(folders.faces, tracks)
    answers = {
        "majority": majority(table, tested),
        "landmarks": landmarks(table, folders.clips, tracks),
        "convlstm": judged(load(folders.models / f"{protocol}.safetensors"), tested, crops),
    }
    own = child_seed(seed, protocol)
    fitted, held = carve(
        protocol, table, params.train.validation_fraction, child_seed(own, "carve")
    )
    for name in sorted(MODELS.keys() - answers.keys()):
        say(f"baselines {protocol}: {name}")
        made, curve = train_network(
            name, fitted, held, crops, params.train, child_seed(own, name), lambda row: None
        )
        say(f"baselines {protocol}: {name}, {len(curve)} epochs")
        answers[name] = judged(made, tested, crops)
    return {name: _row(answer, tracks, params, own) for name, answer in sorted(answers.items())}


def majority(table: Sequence[Sample], tested: Sequence[Sample]) -> Answer:
    """Always the class with most original training windows; of equals the first by name."""
    labels = [s.label for s in table if s.side == "train" and s.origin is None]
    names, counts = np.unique(labels, return_counts=True)
    label = {sample.clip_id: sample.label for sample in tested}
    clips = sorted(label)
    said = names[counts.argmax()]
    return Answer(clips, np.array([label[clip] == said for clip in clips]), None)


def landmarks(table: Sequence[Sample], clips: Path, tracks: Mapping[str, FaceTrack]) -> Answer:
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
    return Answer(names, mean.argmax(1) == classes, None)


def shape(points: np.ndarray) -> np.ndarray:
    """(T, 68, 2) landmarks px > (T * 42 * 2,): SHOWN, centred and scaled by the first frame."""
    shown = points[:, SHOWN].astype(np.float64)
    centre = shown[0].mean(axis=0)
    return ((shown - centre) / np.sqrt(((shown[0] - centre) ** 2).mean())).ravel()


def judged(model: Classifier, tested: Sequence[Sample], crops: Crops) -> Answer:
    """A network's answers for whole clips: the mean over each one's windows."""
    truth = np.array([model.labels.index(sample.label) for sample in tested])
    shares = model.probabilities(cut_windows(tested, crops))
    names, classes, mean = mean_by([sample.clip_id for sample in tested], truth, shares)
    size = sum(weights.numel() for weights in model.network.parameters())
    return Answer(names, mean.argmax(1) == classes, size)


def _row(
    answer: Answer, tracks: Mapping[str, FaceTrack], params: Params, seed: int
) -> dict[str, Any]:
    people = [tracks[clip].identity_id for clip in answer.clips]
    return {
        "accuracy": round(float(answer.right.mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(answer.right, people, params.evaluate.bootstrap, seed),
        "n_test": len(answer.clips),
        "parameters": answer.parameters,
    }
