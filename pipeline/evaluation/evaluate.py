"""The evaluate stage: each protocol's model on its own test side, by window and by clip.

`published` answers in windows, as the published figure must have; `clean` in clips, what a person
would call one case. Both carry the other unit beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models import Classifier, load, to_grey
from pipeline.errors import StageError
from pipeline.evaluation import plots
from pipeline.evaluation.detection import alarm
from pipeline.evaluation.metrics import by_value, mean_by, scores
from pipeline.evaluation.probes import probe_all
from pipeline.evaluation.robustness import robustness
from pipeline.evaluation.tone import tone
from pipeline.files import (
    child_seed,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
    writing_folder,
)
from pipeline.media.video import read_clip
from pipeline.params import EvaluateParams
from pipeline.records import PROTOCOLS, FaceTrack, Protocol, Sample
from pipeline.splits.groups import age_band
from pipeline.splits.windows import Crops, cut_windows
from pipeline.training.calibrate import reliability, uncalibrated

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

    Writes `predictions`/<protocol>.jsonl, the file `metrics` (docs/formats/evaluation.md) and the
    plots in `figures`.
    """
    looks = read_looks(faces)
    report: dict[str, Any] = {"probes": {}}
    predicted: dict[str, list[dict[str, Any]]] = {}
    for protocol in PROTOCOLS:
        model = load(models / f"{protocol}.safetensors")
        table = [Sample.parse(row) for row in read_jsonl(splits / f"{protocol}.jsonl")]
        tested = [sample for sample in table if sample.side == "test"]
        own = child_seed(seed, protocol)
        probabilities = judge(model, tested, looks.crops)
        predicted[protocol] = prediction_rows(tested, probabilities, model.labels)
        report[protocol] = evaluate(
            protocol, tested, probabilities, model, looks, params.bootstrap, own
        )
        report["probes"][protocol] = probe_all(
            protocol, table, looks.tracks, looks.crops, params.bootstrap, child_seed(own, "probes")
        )
        if protocol == "clean":
            report["robustness"] = _robustness(model, tested, looks, params.bootstrap, own)
    records: dict[str, dict[str, Any]] = {
        protocol: read_json(models / f"{protocol}.json") for protocol in PROTOCOLS
    }
    with writing_folder(predictions) as part:
        for name, rows in predicted.items():
            write_jsonl(part / f"{name}.jsonl", rows)
    write_json(metrics, report)
    plots.write_plots(figures, report, predicted, records)


@dataclass(frozen=True)
class Looks:
    """Every kept clip: its record, its crops (T, S, S) uint8 grey, its skin tone in the picture."""

    tracks: dict[str, FaceTrack]
    crops: Crops
    tones: dict[str, str]


def read_looks(faces: Path) -> Looks:
    """All that the stage looks at in the folder of crops; each film is read once."""
    tracks = {row["clip_id"]: FaceTrack.parse(row) for row in read_jsonl(faces / "faces.jsonl")}
    crops, tones = {}, {}
    for clip in sorted(tracks):
        frames = read_clip(faces / f"{clip}.mp4")
        crops[clip], tones[clip] = to_grey(frames), tone(frames[0])
    return Looks(tracks, crops, tones)


def judge(model: Classifier, samples: Sequence[Sample], crops: Crops) -> np.ndarray:
    """(N, classes) probabilities of the samples' windows; StageError when there are none.

    Rounded to six digits, so that the figures follow from the predictions as they are written.
    """
    if not samples:
        raise StageError("the test side is empty; render more clips or raise split.test_fraction")
    return model.probabilities(cut_windows(samples, crops)).round(6)


def prediction_rows(
    samples: Sequence[Sample], probabilities: np.ndarray, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """One row a sample, in their order: its ids, `label`, `predicted`, `probabilities` by class."""
    return [
        {
            "sample_id": sample.sample_id,
            "clip_id": sample.clip_id,
            "start": sample.start,
            "label": sample.label,
            "predicted": labels[int(row.argmax())],
            "probabilities": dict(zip(labels, row.tolist(), strict=True)),
        }
        for sample, row in zip(samples, probabilities, strict=True)
    ]


def evaluate(
    protocol: Protocol,
    samples: Sequence[Sample],
    probabilities: np.ndarray,
    model: Classifier,
    looks: Looks,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The figures of one protocol (docs/formats/evaluation.md) from `judge`'s answers.

    At the top those of the protocol's own unit; `by_window` and `by_clip` hold both units.
    Intervals resample the people who drive the motion, `FaceTrack.identity_id`.
    """
    truth = _indices(samples, model.labels)
    clips = [sample.clip_id for sample in samples]
    by_unit: dict[Unit, tuple[list[str], np.ndarray, np.ndarray]] = {
        "window": (clips, truth, probabilities),
        "clip": mean_by(clips, truth, probabilities),
    }
    figures = {}
    for unit, (names, classes, table) in by_unit.items():
        people = [looks.tracks[name].identity_id for name in names]
        figures[unit] = scores(
            classes, table, people, model.labels, resamples, child_seed(seed, unit)
        )
        figures[unit] |= _breakdowns(names, classes == table.argmax(1), looks)
        figures[unit]["deteriorating"] = alarm(
            classes, table, people, model.labels, resamples, child_seed(seed, unit, "alarm")
        )
    own = UNITS[protocol]
    return {
        "unit": own, **figures[own], "by_window": figures["window"], "by_clip": figures["clip"],
        "calibration": _calibration(truth, probabilities, model.temperature),
    }  # fmt: skip


def _calibration(truth: np.ndarray, table: np.ndarray, temperature: float) -> dict[str, Any]:
    before = reliability(truth, uncalibrated(table, temperature))["ece"]
    return {"temperature": temperature, "ece_uncalibrated": before, **reliability(truth, table)}


def _robustness(
    model: Classifier, samples: Sequence[Sample], looks: Looks, resamples: int, seed: int
) -> dict[str, Any]:
    person_of = {clip: track.identity_id for clip, track in looks.tracks.items()}
    return robustness(
        model, cut_windows(samples, looks.crops), _indices(samples, model.labels),
        [sample.clip_id for sample in samples], person_of, resamples,
        child_seed(seed, "robustness"),
    )  # fmt: skip


def _breakdowns(clips: Sequence[str], right: np.ndarray, looks: Looks) -> dict[str, Any]:
    # Who is seen, not who drives; a photographed person's unknown age or sex is a group too.
    tracks = [looks.tracks[clip] for clip in clips]
    seen = [track.person for track in tracks]
    values: dict[str, list[str]] = {
        "by_kind": [str(track.kind) for track in tracks],
        "by_age": [age_band(person.age) for person in seen],
        "by_sex": [person.sex or "unknown" for person in seen],
        "by_ethnicity": [person.ethnicity or "unknown" for person in seen],
        "by_skin_tone": [looks.tones[clip] for clip in clips],
    }
    people = [person.identity_id for person in seen]
    return {name: by_value(column, right, people) for name, column in values.items()}


def _indices(samples: Sequence[Sample], labels: Sequence[str]) -> np.ndarray:
    unknown = {sample.label for sample in samples} - set(labels)
    if unknown:
        raise StageError(
            f"the test side holds {', '.join(sorted(unknown))}, which the training side never "
            "showed; render more identities"
        )
    return np.array([labels.index(sample.label) for sample in samples])
