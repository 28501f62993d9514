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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from pipeline.evaluation.metrics import bootstrap_accuracy
from pipeline.files import child_seed
from pipeline.records import FaceTrack, Protocol, Sample

SIDE = 16  # pixels a side that a frame is shrunk to: who and where stay readable
FOLDS = 7  # 15 % each, as in the split
Features = Mapping[str, np.ndarray]  # clip_id > (F,)


def probe_all(
    protocol: Protocol,
    samples: Sequence[Sample],
    tracks: Mapping[str, FaceTrack],
    crops: Mapping[str, np.ndarray],
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Each probe's `accuracy`, `accuracy_ci95`, `chance`, `n_test` under a protocol's own rule.

    `samples` are all windows of both sides, `crops` (T, S, S) uint8 grey by clip. Every window is
    tested once: folds of windows for `published`, of whole groups for `clean`, judged by window
    or by clip as that protocol is.
    """
    clips = sorted({sample.clip_id for sample in samples})
    readings = {
        "identity": identity_features([tracks[clip] for clip in clips]),
        "background": np.stack([background(crops[clip][0]) for clip in clips]),
        "first_frame": np.stack([shrunk(crops[clip][0]).ravel() for clip in clips]),
    }
    tested = _folds(protocol, samples, child_seed(seed, "folds"))
    return {
        name: _judge(
            protocol, samples, dict(zip(clips, table, strict=True)), tested, tracks, resamples,
            child_seed(seed, name),
        )
        for name, table in readings.items()
    }  # fmt: skip


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


def _folds(protocol: Protocol, samples: Sequence[Sample], seed: int) -> list[np.ndarray]:
    labels = [sample.label for sample in samples]
    groups = [sample.group for sample in samples]
    few = len(set(groups)) if protocol == "clean" else min(Counter(labels).values())
    kind = StratifiedGroupKFold if protocol == "clean" else StratifiedKFold
    folds = kind(n_splits=min(FOLDS, few), shuffle=True, random_state=seed % 2**32)
    together = groups if protocol == "clean" else None
    return [test for _, test in folds.split(np.zeros(len(labels)), labels, together)]


def _judge(
    protocol: Protocol,
    samples: Sequence[Sample],
    features: Features,
    folds: Sequence[np.ndarray],
    tracks: Mapping[str, FaceTrack],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    labels = np.array([sample.label for sample in samples])
    right = np.zeros(len(samples), dtype=bool)
    for test in folds:
        train = np.setdiff1d(np.arange(len(samples)), test)
        model = _fit([samples[index] for index in train], features)
        said = model.predict(np.stack([features[samples[index].clip_id] for index in test]))
        right[test] = said == labels[test]
    units = np.arange(len(samples))
    if protocol == "clean":  # a clip's windows share their first frame, so one stands for all
        units = np.unique([sample.clip_id for sample in samples], return_index=True)[1]
    people = [tracks[samples[index].clip_id].identity_id for index in units]
    return {
        "accuracy": round(float(right[units].mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(right[units], people, resamples, seed),
        "chance": round(1 / len(set(labels)), 6),
        "n_test": len(units),
    }


def _fit(samples: Sequence[Sample], features: Features) -> LogisticRegression:
    clips, counts = np.unique([sample.clip_id for sample in samples], return_counts=True)
    label = {sample.clip_id: sample.label for sample in samples}
    # Even classes, else a fold that lacks a class would teach the probe to avoid the right answer.
    model = LogisticRegression(max_iter=1000, class_weight="balanced")
    table = np.stack([features[clip] for clip in clips])
    return model.fit(table, [label[clip] for clip in clips], sample_weight=counts)
