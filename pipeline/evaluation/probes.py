"""Probes: what tells the display without showing it must tell nothing on a clean split.

Three readings of a clip that hold no display, each given to a logistic regression:
`identity` knows who is seen and nothing else, `background` sees the corners of the first frame's
crop, `first_frame` all of that frame, in which every clip is neutral. Whoever guesses better than
chance from these has met the clip, or its making, before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from models import to_grey
from pipeline.evaluation.metrics import bootstrap_accuracy
from pipeline.files import child_seed
from pipeline.records import FaceTrack, Sample
from pipeline.study import Protocol

SIDE = 16  # pixels a side that a frame is shrunk to: who and where stay readable
FOLDS = 7  # 15 % each, as in the split
Features = Mapping[str, np.ndarray]  # clip_id > (F,)


def probe_all(
    rules: Protocol,
    samples: Sequence[Sample],
    tracks: Mapping[str, FaceTrack],
    crops: Mapping[str, np.ndarray],
    chance: tuple[int, int],
) -> dict[str, dict[str, Any]]:
    """Each probe's `accuracy`, `accuracy_ci95`, `chance`, `n_test` under a protocol's own rules.

    `samples` are all windows of both sides, `crops` (T, S, S) uint8 grey or (T, S, S, 3) RGB by
    clip, `chance` is (resamples, seed). Every window is tested once: in folds of windows where the
    protocol holds nothing together, else of what it holds; judged by window or by clip, as it is.
    """
    clips = sorted({sample.clip_id for sample in samples})
    first = {clip: _grey(crops[clip][0]) for clip in clips}
    readings = {
        "identity": identity_features([tracks[clip] for clip in clips]),
        "background": np.stack([background(first[clip]) for clip in clips]),
        "first_frame": np.stack([shrunk(first[clip]).ravel() for clip in clips]),
    }
    resamples, seed = chance
    tested = _folds(rules, samples, child_seed(seed, "folds"))
    report = {}
    for name, table in readings.items():
        right = _answers(samples, dict(zip(clips, table, strict=True)), tested)
        report[name] = _judged(rules, samples, right, tracks, (resamples, child_seed(seed, name)))
    return report


def identity_features(tracks: Sequence[FaceTrack]) -> np.ndarray:
    """(clips, F): one column a driver and a portrait, and age, sex and ethnicity of who is seen."""
    names = [{f"driver {t.identity_id}", f"portrait {t.portrait_id}", f"sex {t.person.sex}",
              f"ethnicity {t.person.ethnicity}"} for t in tracks]  # fmt: skip
    columns = sorted(set().union(*names))
    table = np.array([[float(column in row) for column in columns] for row in names])
    ages = np.array([50.0 if t.person.age is None else t.person.age for t in tracks])
    return np.column_stack([table, (ages - 50) / 20])


def shrunk(frame: np.ndarray) -> np.ndarray:
    """(S, S) uint8 grey > (SIDE, SIDE) float of mean 0 and variance 1, as the network sees it."""
    exact = frame.astype(np.float64)  # bytes would be rounded after each mean
    small = cv2.resize(exact, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return (small - small.mean()) / (small.std() + 1e-6)


def background(frame: np.ndarray) -> np.ndarray:
    """The pixels of `shrunk` outside the circle inscribed in the crop, which holds the face."""
    offset = np.arange(SIDE) - (SIDE - 1) / 2
    outside = offset[:, None] ** 2 + offset**2 > (SIDE / 2) ** 2
    return shrunk(frame)[outside]


def _grey(frame: np.ndarray) -> np.ndarray:
    return frame if frame.ndim == 2 else to_grey(frame)


def _folds(rules: Protocol, samples: Sequence[Sample], seed: int) -> list[np.ndarray]:
    labels = [sample.label for sample in samples]
    kept: list[str] | None = [_kept(rules, sample) for sample in samples]
    kind: type[StratifiedKFold] | type[StratifiedGroupKFold] = StratifiedGroupKFold
    few = min(len(set(kept or ())), min(Counter(labels).values()))
    if rules.together == "nothing":
        kind, kept, few = StratifiedKFold, None, min(Counter(labels).values())
    folds = kind(n_splits=max(2, min(FOLDS, few)), shuffle=True, random_state=seed % 2**32)
    return [test for _, test in folds.split(np.zeros(len(labels)), labels, kept)]


def _kept(rules: Protocol, sample: Sample) -> str:
    return sample.clip_id if rules.together == "clip" else sample.group


def _answers(
    samples: Sequence[Sample], features: Features, folds: Sequence[np.ndarray]
) -> np.ndarray:
    labels = np.array([sample.label for sample in samples])
    right = np.zeros(len(samples), dtype=bool)
    for test in folds:
        train = np.setdiff1d(np.arange(len(samples)), test)
        model = _fit([samples[index] for index in train], features)
        said = model.predict(np.stack([features[samples[index].clip_id] for index in test]))
        right[test] = said == labels[test]
    return right


def _judged(
    rules: Protocol,
    samples: Sequence[Sample],
    right: np.ndarray,
    tracks: Mapping[str, FaceTrack],
    chance: tuple[int, int],
) -> dict[str, Any]:
    units = np.arange(len(samples))
    if rules.unit != "window":  # a clip's windows share their first frame, so one stands for all
        units = np.unique([sample.clip_id for sample in samples], return_index=True)[1]
    people = [tracks[samples[index].clip_id].identity_id for index in units]
    return {
        "accuracy": round(float(right[units].mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(right[units], people, *chance),
        "chance": round(1 / len({sample.label for sample in samples}), 6),
        "n_test": len(units),
    }


def _fit(samples: Sequence[Sample], features: Features) -> LogisticRegression | DummyClassifier:
    clips, counts = np.unique([sample.clip_id for sample in samples], return_counts=True)
    label = {sample.clip_id: sample.label for sample in samples}
    if len(set(label.values())) == 1:  # few people: their fold shows one class alone
        return DummyClassifier().fit(clips, [label[clip] for clip in clips])
    # Even classes, else a fold that lacks a class would teach the probe to avoid the right answer.
    model = LogisticRegression(max_iter=1000, class_weight="balanced")
    table = np.stack([features[clip] for clip in clips])
    return model.fit(table, [label[clip] for clip in clips], sample_weight=counts)
