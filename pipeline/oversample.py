"""Balance of the training side, after the split and never before it.

Oversampled before the split, a copy lands in the test side beside its original: a leak. Here only
training rows are copied, each copy names its origin, and the rows of the split come first,
byte for byte as they were.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from imblearn.over_sampling import RandomOverSampler

from pipeline.errors import StageError
from pipeline.files import child_seed, read_jsonl, write_json, write_jsonl
from pipeline.params import OversampleParams
from pipeline.records import PROTOCOLS, Sample, short_id


def oversample_splits(
    splits: Path, out: Path, balance: Path, params: OversampleParams, seed: int
) -> None:
    """Read `splits`/<protocol>.jsonl; write `out`/<protocol>.jsonl and the class counts."""
    counts = {}
    for protocol in PROTOCOLS:
        before = [Sample.parse(row) for row in read_jsonl(splits / f"{protocol}.jsonl")]
        after = oversample(before, params, child_seed(seed, protocol))
        write_jsonl(out / f"{protocol}.jsonl", [sample.row() for sample in after])
        counts[protocol] = class_counts(before, after)
    write_json(balance, counts)


def oversample(samples: Sequence[Sample], params: OversampleParams, seed: int) -> list[Sample]:
    """The samples as given, then copies of training samples until the classes are even.

    Raises StageError when the training side holds fewer than two classes.
    """
    if params.method == "none":
        return list(samples)
    train = [sample for sample in samples if sample.side == "train"]
    labels = [sample.label for sample in train]
    if len(set(labels)) < 2:
        raise StageError("the training side holds fewer than two classes; render more clips")
    sampler = RandomOverSampler(random_state=seed % 2**32)
    sampler.fit_resample(np.arange(len(train))[:, None], labels)
    drawn = sampler.sample_indices_[len(train) :]  # imbalanced-learn lists the originals first
    copies: Counter[str] = Counter()
    return list(samples) + [_copy(train[index], copies) for index in drawn]


def class_counts(before: Sequence[Sample], after: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Windows a class: the training side before and after, and the untouched test side."""
    return {
        "train_before": _count(before, "train"),
        "train_after": _count(after, "train"),
        "test": _count(after, "test"),
    }


def _count(samples: Sequence[Sample], side: str) -> dict[str, int]:
    return dict(sorted(Counter(s.label for s in samples if s.side == side).items()))


def _copy(sample: Sample, copies: Counter[str]) -> Sample:
    copies[sample.sample_id] += 1
    content = {"origin": sample.sample_id, "copy": copies[sample.sample_id]}
    return sample.model_copy(
        update={"sample_id": short_id("sample", content), "origin": sample.sample_id}
    )
