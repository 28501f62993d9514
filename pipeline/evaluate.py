"""The evaluate stage: each protocol's model on its own test side, by window and by clip.

`published` answers in windows, as the published figure must have; `clean` in clips, what a person
would call one case. Both carry the other unit beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models import Classifier, load
from pipeline import plots
from pipeline.errors import StageError
from pipeline.files import (
    child_seed,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
    writing_folder,
)
from pipeline.metrics import mean_by, scores
from pipeline.params import EvaluateParams
from pipeline.records import PROTOCOLS, FaceTrack, Protocol, Sample
from pipeline.windows import cut_windows, load_crops

Unit = Literal["window", "clip"]
UNITS: dict[Protocol, Unit] = {"published": "window", "clean": "clip"}


def evaluate_models(
    models: Path,
    splits: Path,
    faces: Path,
    predictions: Path,
    metrics: Path,
    figures: Path,
    params: EvaluateParams,
    seed: int,
) -> None:
    """Judge `models`/<protocol>.safetensors on the test side of `splits`/<protocol>.jsonl.

    Writes `predictions`/<protocol>.jsonl, the file `metrics` and the plots in `figures`.
    """
    tracks = {row["clip_id"]: FaceTrack.parse(row) for row in read_jsonl(faces / "faces.jsonl")}
    evaluation: dict[str, dict[str, Any]] = {}
    predicted: dict[str, list[dict[str, Any]]] = {}
    for protocol in PROTOCOLS:
        model = load(models / f"{protocol}.safetensors")
        table = [Sample.parse(row) for row in read_jsonl(splits / f"{protocol}.jsonl")]
        tested = [sample for sample in table if sample.side == "test"]
        predicted[protocol] = predict(model, tested, faces)
        evaluation[protocol] = evaluate(
            protocol, tested, predicted[protocol], model.labels, tracks, params,
            child_seed(seed, protocol),
        )  # fmt: skip
    records: dict[str, dict[str, Any]] = {
        protocol: read_json(models / f"{protocol}.json") for protocol in PROTOCOLS
    }
    with writing_folder(predictions) as part:
        for name, rows in predicted.items():
            write_jsonl(part / f"{name}.jsonl", rows)
    write_json(metrics, evaluation)
    plots.write_plots(figures, evaluation, predicted, records)


def predict(model: Classifier, samples: Sequence[Sample], faces: Path) -> list[dict[str, Any]]:
    """One row a sample, in their order: its ids, `label`, `predicted`, `probabilities` by class."""
    if not samples:
        raise StageError("the test side is empty; render more clips or raise split.test_fraction")
    crops = load_crops(faces, (sample.clip_id for sample in samples))
    table = model.probabilities(cut_windows(samples, crops)).round(6)
    return [
        {
            "sample_id": sample.sample_id,
            "clip_id": sample.clip_id,
            "start": sample.start,
            "label": sample.label,
            "predicted": model.labels[int(row.argmax())],
            "probabilities": dict(zip(model.labels, row.tolist(), strict=True)),
        }
        for sample, row in zip(samples, table, strict=True)
    ]


def evaluate(
    protocol: Protocol,
    samples: Sequence[Sample],
    rows: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    tracks: Mapping[str, FaceTrack],
    params: EvaluateParams,
    seed: int,
) -> dict[str, Any]:
    """The figures of one protocol (docs/formats/evaluation.md) from `predict`'s rows.

    At the top those of the protocol's own unit; `by_window` and `by_clip` hold both units.
    Intervals resample the people who drive the motion, `FaceTrack.identity_id`.
    """
    truth = _indices(samples, labels)
    table = np.array([[row["probabilities"][label] for label in labels] for row in rows])
    clips = [sample.clip_id for sample in samples]
    by_unit: dict[Unit, tuple[list[str], np.ndarray, np.ndarray]] = {
        "window": (clips, truth, table),
        "clip": mean_by(clips, truth, table),
    }
    figures = {}
    for unit, (names, classes, probabilities) in by_unit.items():
        people = [tracks[name].identity_id for name in names]
        figures[unit] = scores(
            classes, probabilities, people, labels, params.bootstrap, child_seed(seed, unit)
        )
        figures[unit]["by_kind"] = _by_kind(names, classes == probabilities.argmax(1), tracks)
    own = UNITS[protocol]
    return {
        "unit": own, **figures[own], "by_window": figures["window"], "by_clip": figures["clip"]
    }  # fmt: skip


def _indices(samples: Sequence[Sample], labels: Sequence[str]) -> np.ndarray:
    unknown = {sample.label for sample in samples} - set(labels)
    if unknown:
        raise StageError(
            f"the test side holds {', '.join(sorted(unknown))}, which the training side never "
            "showed; render more identities"
        )
    return np.array([labels.index(sample.label) for sample in samples])


def _by_kind(
    clips: Sequence[str], right: np.ndarray, tracks: Mapping[str, FaceTrack]
) -> dict[str, dict[str, float | int]]:
    kinds = np.array([tracks[clip].kind for clip in clips])
    return {
        str(kind): {
            "accuracy": round(float(right[kinds == kind].mean()), 6),
            "n": int((kinds == kind).sum()),
        }
        for kind in np.unique(kinds)
    }
