"""A network of the registry taught from samples: windows cut, epochs run, temperature fitted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from models import Classifier, build
from pipeline.params import TrainParams
from pipeline.records import Sample
from pipeline.splits.crop_shards import CropShards
from pipeline.splits.tables import Cut
from pipeline.splits.windows import Crops, Windows, cut_windows
from pipeline.training.augment import mirror_table
from pipeline.training.calibrate import fit_temperature
from pipeline.training.fit import Epoch, Lesson, Part, fit, repeatable


@dataclass(frozen=True)
class Recipe:
    """How one network is taught: its name and own `parameters`, the fitting, the class mirror."""

    model: str
    params: TrainParams
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mirror: Mapping[str, str] = field(default_factory=dict)


def learn(
    recipe: Recipe,
    parts: tuple[Sequence[Sample | Cut], Sequence[Sample | Cut]],
    crops: Crops,
    seed: int,
    report: Callable[[Epoch], None],
    state: Path | None = None,
) -> tuple[Classifier, list[Epoch]]:
    """A network fitted on the first of two `parts` of a training side, and its curve.

    The second part chooses the epoch and the temperature. `state` is as in `fit`. Windows over
    crops in shards are cut as they are needed, others at once; the weights are the same.
    """
    fitted, held = parts
    labels = tuple(sorted({sample.label for sample in fitted}))
    train, validation = (_part(side, crops, labels) for side in (fitted, held))
    with repeatable(seed) as generator:
        network = build_for(recipe, len(labels), train.windows)
        lesson = Lesson(train, validation, mirror_table(labels, recipe.mirror))
        curve = fit(network, lesson, recipe.params, generator, report, state)
    raw = Classifier(recipe.model, network, labels, train.windows.shape[1])
    seen = cast(np.ndarray, validation.windows)  # of shards, it is sliced and measured as one
    temperature = fit_temperature(raw.logits(seen), validation.targets)
    return replace(raw, temperature=temperature), curve


def build_for(recipe: Recipe, classes: int, windows: np.ndarray | Windows) -> Any:
    """A new network for windows of this shape."""
    channels = 1 if windows.ndim == 4 else windows.shape[-1]
    return build(
        recipe.model, classes=classes, channels=channels, size=windows.shape[2],
        frames=windows.shape[1], parameters=recipe.parameters,
    )  # fmt: skip


def _part(samples: Sequence[Sample | Cut], crops: Crops, labels: Sequence[str]) -> Part:
    index = {label: number for number, label in enumerate(labels)}
    known = [sample for sample in samples if sample.label in index]
    targets = np.array([index[sample.label] for sample in known], dtype=np.int64)
    if isinstance(crops, CropShards):
        return Part(Windows(known, crops), targets)
    return Part(cut_windows(known, crops), targets)
