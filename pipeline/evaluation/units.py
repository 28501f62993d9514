"""The units that figures are counted in: windows, clips or people, with what was said of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.answers import Answers, Looks
from pipeline.evaluation.threshold import shifted
from pipeline.records import Sample


@dataclass(frozen=True)
class Units:
    """N units: a clip of each, its class index, probabilities (N, classes), who drives its motion.

    `samples` has one sample of each, by which its label and targets are known.
    """

    samples: list[Sample]
    truth: np.ndarray
    table: np.ndarray
    people: list[str]

    @property
    def clips(self) -> list[str]:
        """A clip of each unit."""
        return [sample.clip_id for sample in self.samples]

    @property
    def right(self) -> np.ndarray:
        """(N,) bool: is the likeliest class the true one?"""
        return np.asarray(self.truth == self.table.argmax(1))


def units_of(answers: Answers, unit: str, looks: Looks, threshold: float = 0.5) -> Units:
    """Answers joined by their unit (`window`, `clip`, `person`), which the mean of windows answers.

    Of two classes the second is called from the `threshold` on. A person counts once for each class
    and, where a protocol is repeated, everything once a repeat.
    """
    keys = answers.apart([_key(unit, sample, looks) for sample in answers.samples])
    names, truth, table = (
        (keys, answers.truth, answers.probabilities) if unit == "window" else answers.joined(keys)
    )
    sample_of = dict(zip(keys, answers.samples, strict=True))
    samples = list(answers.samples) if unit == "window" else [sample_of[name] for name in names]
    people = [looks.tracks[sample.clip_id].identity_id for sample in samples]
    return Units(samples, truth, shifted(table, threshold), people)


def _key(unit: str, sample: Sample, looks: Looks) -> str:
    if unit == "person":
        return f"{looks.tracks[sample.clip_id].person.identity_id} {sample.label}"
    return sample.clip_id


def doses(samples: Sequence[Sample], name: str) -> np.ndarray:
    """(N,) the target `name` of each sample; 0 for those without, who have nothing of it."""
    return np.array([sample.targets.get(name, 0.0) for sample in samples])
