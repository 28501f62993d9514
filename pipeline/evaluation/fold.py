"""One fold learnt with one seed: the study's network and others beside it, in one process.

`python -m pipeline.evaluation.fold` is that process; pipeline.evaluation.folds makes its requests.
All networks of a fold share its crops, its windows and what is held out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models import Classifier
from pipeline.evaluation.answers import answer
from pipeline.evaluation.baselines import Verdict, landmarks, majority
from pipeline.files import child_seed, write_json
from pipeline.params import OversampleParams, TrainParams
from pipeline.records import Sample
from pipeline.splits.oversample import crop_features, oversample
from pipeline.splits.tables import read_tracks
from pipeline.splits.validation import hold_out
from pipeline.splits.windows import Crops, clips_of, load_crops
from pipeline.store.torch_worker import serve
from pipeline.training.learn import Recipe, learn


@dataclass(frozen=True)
class Network:
    """A network to teach: its name in the table of figures, in the registry, its parameters."""

    name: str
    network: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Fold:
    """What one process learns and is asked; the first of `networks` is the study's.

    `table` has the classes of the task as labels and the fold's people on the side `test`. Training
    windows start every `stride` frames. With `plain` also what is no network is asked.
    """

    table: list[Sample]
    networks: list[Network]
    faces: str
    clips: str
    channels: int
    mirror: dict[str, str]
    train: TrainParams
    oversample: OversampleParams
    stride: int
    seed: int
    plain: bool

    def request(self) -> dict[str, Any]:
        """The fold as plain values."""
        return {
            **vars(self),
            "table": [sample.row() for sample in self.table],
            "networks": [vars(network) for network in self.networks],
            "train": self.train.model_dump(),
            "oversample": self.oversample.model_dump(),
        }

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Fold":
        """The fold of a `request`."""
        return cls(**{
            **said,
            "table": [Sample(**row) for row in said["table"]],
            "networks": [Network(**row) for row in said["networks"]],
            "train": TrainParams(**said["train"]),
            "oversample": OversampleParams(**said["oversample"]),
        })  # fmt: skip


def ask(fold: Fold) -> dict[str, Any]:
    """What each network says of every test clip, as plain values.

    `clips` sorted; `labels`; `truth` their classes; `shares` (clips, classes) of the first network;
    `right` by name > clip > bool; `epochs` and `parameters` by name.
    """
    crops = load_crops(Path(fold.faces), clips_of(fold.table), fold.channels)
    tested = [sample for sample in fold.table if sample.side == "test"]
    ids = [sample.clip_id for sample in tested]
    found: dict[str, Any] = {"right": {}, "epochs": {}, "parameters": {}}
    table = thinned(fold.table, fold.stride)
    for network in fold.networks:
        model, epochs = _taught(fold, network, table, crops)
        said = answer(model, tested, crops)
        clips, truth, shares = said.joined(ids)
        if "shares" not in found:
            found |= {"clips": clips, "labels": list(model.labels), "truth": truth.tolist()}
            found["shares"] = shares.round(6).tolist()
        found["right"][network.name] = _named(clips, truth == shares.argmax(1))
        found["epochs"][network.name] = epochs
        size = sum(weights.numel() for weights in model.network.parameters())
        found["parameters"][network.name] = size
    if fold.plain:
        for name, verdict in _plain(fold, tested).items():
            found["right"][name] = _named(verdict.clips, verdict.right)
    return found


def thinned(table: Sequence[Sample], stride: int) -> list[Sample]:
    """The table with every `stride`-th window of its training side; the test side as it is."""
    return [s for s in table if s.side != "train" or s.start % stride == 0]


def _taught(
    fold: Fold, network: Network, table: Sequence[Sample], crops: Crops
) -> tuple[Classifier, int]:
    """Oversample, hold out and train as the line does; the network and its epochs."""
    features = crop_features(Path(fold.faces))
    samples = oversample(table, fold.oversample, child_seed(fold.seed, "oversample"), features)
    fraction = fold.train.validation_fraction
    parts = hold_out(samples, "group", fraction, child_seed(fold.seed, "carve"))
    recipe = Recipe(network.network, fold.train, network.parameters, fold.mirror)
    model, curve = learn(recipe, parts, crops, child_seed(fold.seed, "fit"), lambda row: None)
    return model, len(curve)


def _plain(fold: Fold, tested: Sequence[Sample]) -> dict[str, Verdict]:
    """The answers that need no network; landmarks have truth of avatars alone."""
    tracks = {track.clip_id: track for track in read_tracks(Path(fold.faces))}
    found = {"majority": majority(fold.table, tested)}
    if {tracks[sample.clip_id].kind for sample in tested} >= {"avatar"}:
        found["landmarks"] = landmarks(fold.table, Path(fold.clips), tracks)
    return found


def _named(clips: Sequence[str], right: np.ndarray) -> dict[str, bool]:
    return dict(zip(clips, right.tolist(), strict=True))


def _answer(request: dict[str, Any]) -> None:
    write_json(Path(request["out"]), ask(Fold.read(request["fold"])))


if __name__ == "__main__":
    serve(_answer)
