"""What a model answered about test samples, joined by the unit of analysis that counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import Classifier, to_grey, to_tensor
from pipeline.errors import StageError
from pipeline.evaluation.metrics import mean_by
from pipeline.evaluation.tone import tone
from pipeline.files import child_seed
from pipeline.media.video import read_clip
from pipeline.records import FaceTrack, Sample
from pipeline.splits.tables import read_tracks
from pipeline.splits.windows import Crops, cut_windows
from pipeline.training.augment import augment
from pipeline.training.fit import AUGMENTATION


@dataclass(frozen=True)
class Looks:
    """Every kept clip: its record, its crops (as `load_crops` gives them), its skin tone."""

    tracks: dict[str, FaceTrack]
    crops: Crops
    tones: dict[str, str]


@dataclass(frozen=True)
class Answers:
    """N samples and the (N, classes) probabilities that a model gave them.

    A sample's `label` is its class in the task; `temperature` is the model's. Where a protocol is
    repeated, `repeat` (N,) says in which one each answer was given; else it is empty.
    """

    samples: list[Sample]
    probabilities: np.ndarray
    labels: tuple[str, ...]
    temperature: float
    repeat: tuple[int, ...] = ()

    @property
    def truth(self) -> np.ndarray:
        """(N,) class indices; StageError for a class that was never trained on."""
        unknown = {sample.label for sample in self.samples} - set(self.labels)
        if unknown:
            raise StageError(
                f"the test side holds {', '.join(sorted(unknown))}, which the training side never "
                "showed; render more people"
            )
        return np.array([self.labels.index(sample.label) for sample in self.samples], dtype=int)

    def apart(self, keys: Sequence[str]) -> list[str]:
        """Keys that tell repeats apart: a mean over models would flatter each of them."""
        if not self.repeat:
            return list(keys)
        return [f"{key} #{number}" for key, number in zip(keys, self.repeat, strict=True)]

    def joined(self, keys: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Sorted keys, their classes and their mean probabilities (see `mean_by`)."""
        return mean_by(keys, self.truth, self.probabilities)

    def trained(self, looks: Looks, yes: bool) -> "Answers":
        """The answers about clips of arms that are trained on, or of those that are not."""
        rows = [n for n, s in enumerate(self.samples) if looks.tracks[s.clip_id].trained == yes]
        return replace(
            self,
            samples=[self.samples[n] for n in rows],
            probabilities=self.probabilities[rows],
            repeat=tuple(self.repeat[n] for n in rows) if self.repeat else (),
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row a sample: ids, `label`, `predicted`, `probabilities` by class."""
        return [
            {
                "sample_id": sample.sample_id,
                "clip_id": sample.clip_id,
                "start": sample.start,
                "label": sample.label,
                "predicted": self.labels[int(row.argmax())],
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
            }
            for sample, row in zip(self.samples, self.probabilities, strict=True)
        ]


def read_looks(faces: Path, channels: int) -> Looks:
    """All that is looked at in the folder of crops; each film is read once."""
    tracks = {track.clip_id: track for track in read_tracks(faces)}
    crops, tones = {}, {}
    for clip in sorted(tracks):
        frames = read_clip(faces / f"{clip}.mp4")
        crops[clip] = frames if channels == 3 else to_grey(frames)
        tones[clip] = tone(frames[0])
    return Looks(tracks, crops, tones)


def answer(model: Classifier, samples: Sequence[Sample], crops: Crops) -> Answers:
    """What the model says of the samples' windows; StageError when there are none.

    Rounded to six digits, so that the figures follow from the predictions as they are written.
    """
    if not samples:
        raise StageError("the test side is empty; render more clips or raise the test fraction")
    said = model.probabilities(changed(samples, cut_windows(samples, crops))).round(6)
    return Answers(list(samples), said, model.labels, model.temperature)


def changed(samples: Sequence[Sample], windows: np.ndarray) -> np.ndarray:
    """The windows (N, ...) uint8, those of copies moved and lit as training changes its windows.

    The same copy always looks the same. It is not mirrored, which could change its class.
    """
    if not any(sample.origin for sample in samples):
        return windows
    amounts, made = replace(AUGMENTATION, flip=0.0), windows.copy()
    first = torch.zeros(1, dtype=torch.long)  # the class, which stays as it is
    for number, sample in enumerate(samples):
        if sample.origin:
            rng = torch.Generator().manual_seed(child_seed(0, "copy", sample.sample_id))
            one = to_tensor(windows[number : number + 1])
            seen, _ = augment(one, first, first, amounts, rng)
            pixels = (255 * seen).round().to(torch.uint8).numpy()[0]  # (T, C, S, S)
            made[number] = pixels[:, 0] if windows.ndim == 4 else pixels.transpose(0, 2, 3, 1)
    return made


def pooled(parts: Sequence[Answers], repeats: int = 1) -> Answers:
    """The answers of all draws of a protocol, in the order of its draws.

    Each of `repeats` holds as many draws. Raises StageError when their models know other classes.
    """
    if len(parts) == 1:
        return parts[0]
    if len({part.labels for part in parts}) > 1:
        raise StageError("the folds know different classes; render more people of the rarest one")
    folds = len(parts) // repeats
    numbers = [n // folds for n, part in enumerate(parts) for _ in part.samples]
    return replace(
        parts[0],
        samples=[sample for part in parts for sample in part.samples],
        probabilities=np.concatenate([part.probabilities for part in parts]),
        repeat=tuple(numbers) if repeats > 1 else (),
    )
