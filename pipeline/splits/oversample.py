"""Balance of the training side, after the split and never before it.

Oversampled before the split, a copy lands in the test side beside its original: a leak. Here only
training rows are copied, each copy names its origin, and the rows of the split come first,
byte for byte as they were.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from scipy import sparse

from pipeline.errors import StageError
from pipeline.files import child_seed, write_json, write_jsonl
from pipeline.params import OversampleParams, Params
from pipeline.records import Partner, Sample
from pipeline.splits.tables import read_samples
from pipeline.study import Study
from pipeline.task import Task

if TYPE_CHECKING:
    from pipeline.workspace import Workspace

Features = Callable[[Sequence[Sample]], np.ndarray]
Drawn = list[tuple[Sample, Partner | None]]
COARSE = 8  # pixels a side of the frames by which windows are near each other


def make(workspace: "Workspace", study: Study, params: Params) -> None:
    """Write a table a task and draw, and the class counts before and after."""
    counts: dict[str, dict[str, Any]] = {}
    seed, features = child_seed(params.seed, "oversample"), crop_features(workspace.faces)
    for task in study.tasks:
        for _, draw in study.draws():
            before = classed(read_samples(workspace.samples(draw)), study.tasks[task])
            after = oversample(before, params.oversample, child_seed(seed, draw), features)
            table = workspace.training_samples(task, draw)
            write_jsonl(table, [sample.row() for sample in after])
            counts.setdefault(task, {})[draw] = class_counts(before, after)
    write_json(workspace.balance, counts)


def classed(samples: Sequence[Sample], task: Task) -> list[Sample]:
    """The samples that a task asks about, their class in it as the label."""
    named = [(sample, task.class_of(sample.label, sample.targets)) for sample in samples]
    return [
        sample if name == sample.label else sample.model_copy(update={"label": name})
        for sample, name in named
        if name is not None
    ]


def oversample(
    samples: Sequence[Sample], params: OversampleParams, seed: int, features: Features
) -> list[Sample]:
    """The samples as given, then copies of training samples until the classes are even.

    `features` gives (N, D) float of N samples; `smote` blends a sample with one of its nearest in
    that space. Raises StageError when the training side holds fewer than two classes, or a class
    has no more samples than neighbours are asked for.
    """
    if params.method == "none":
        return list(samples)
    train = [sample for sample in samples if sample.side == "train"]
    counts = Counter(sample.label for sample in train)
    if len(counts) < 2:
        raise StageError("the training side holds fewer than two classes; render more clips")
    if params.method == "random":
        drawn = _repeated(train, seed)
    else:
        rarest = min(counts, key=counts.__getitem__)
        if counts[rarest] <= params.neighbours:
            raise StageError(
                f"smote asks for {params.neighbours} neighbours but {rarest} has "
                f"{counts[rarest]} training windows; lower oversample.neighbours"
            )
        drawn = _blended(train, features(train), params.neighbours, seed)
    return [*samples, *_copies(drawn)]


def crop_features(faces: Path) -> Features:
    """A window as its crops, COARSE x COARSE pixels a frame, without its mean brightness."""

    def features(samples: Sequence[Sample]) -> np.ndarray:
        from pipeline.splits.windows import (  # torch, for smote alone
            clips_of,
            cut_windows,
            load_crops,
        )

        alone = [sample.model_copy(update={"reference": None}) for sample in samples]
        windows = cut_windows(alone, load_crops(faces, clips_of(alone)))
        count, frames, size, _ = windows.shape
        block = size // COARSE
        cut = windows[:, :, : COARSE * block, : COARSE * block].astype(np.float64)
        small = cut.reshape(count, frames, COARSE, block, COARSE, block).mean(axis=(3, 5))
        flat = small.reshape(count, -1)
        return np.asarray(flat - flat.mean(axis=1, keepdims=True))

    return features


def _copies(drawn: Drawn) -> Iterator[Sample]:
    numbers: Counter[str] = Counter()
    for origin, partner in drawn:
        numbers[origin.sample_id] += 1
        copy = origin.copied(numbers[origin.sample_id], partner)
        # A copy of one that was made before the split is one more of the same window.
        yield copy.model_copy(update={"origin": origin.origin}) if origin.origin else copy


def _repeated(train: Sequence[Sample], seed: int) -> Drawn:
    sampler = RandomOverSampler(random_state=seed % 2**32)
    sampler.fit_resample(np.arange(len(train))[:, None], [sample.label for sample in train])
    # imbalanced-learn lists the originals first
    return [(train[index], None) for index in sampler.sample_indices_[len(train) :]]


def _blended(train: Sequence[Sample], features: np.ndarray, neighbours: int, seed: int) -> Drawn:
    # One more column a window, 1 in its own row: all distances grow alike, so neighbours stay, and
    # a blend tells by its columns which two windows it is made of, and in which shares.
    table = sparse.hstack([sparse.csr_matrix(features), sparse.identity(len(train))], format="csr")
    sampler = SMOTE(random_state=seed % 2**32, k_neighbors=neighbours)
    made, _ = sampler.fit_resample(table, [sample.label for sample in train])
    drawn: Drawn = []
    for row in made[len(train) :, features.shape[1] :].tocsr():
        shares = sorted(zip(row.data.tolist(), row.indices.tolist(), strict=True), reverse=True)
        (_, own), *others = [pair for pair in shares if pair[0] > 0]
        drawn.append((train[own], _partner(train[others[0][1]], others[0][0]) if others else None))
    return drawn


def _partner(sample: Sample, share: float) -> Partner:
    return Partner(
        sample_id=sample.sample_id, clip_id=sample.clip_id, start=sample.start,
        share=round(share, 6),
    )  # fmt: skip


def class_counts(before: Sequence[Sample], after: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Windows a class: the training side before and after, and the test side as it was."""
    return {
        "train_before": _count(before, "train"),
        "train_after": _count(after, "train"),
        "test": _count(after, "test"),
    }


def _count(samples: Sequence[Sample], side: str) -> dict[str, int]:
    return dict(sorted(Counter(s.label for s in samples if s.side == side).items()))
