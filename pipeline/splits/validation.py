"""The validation split: part of the training side, to choose the epoch and the temperature by."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pipeline.errors import StageError
from pipeline.records import Sample
from pipeline.splits.tables import Cut

S = TypeVar("S", Sample, Cut)


def hold_out(
    samples: Sequence[S], together: str, fraction: float, seed: int
) -> tuple[list[S], list[S]]:
    """The training side in two: to fit on (with copies) and to validate on (without).

    What a protocol holds `together` stays whole here too. Whatever is held out leaves the first
    part with all its copies, and with all blends it is the partner of. A table that has a side
    `validation` is taken as it is. Raises StageError when nothing would be left to fit on.
    """
    side = [sample for sample in samples if sample.side == "train"]
    drawn = [sample for sample in samples if sample.side == "validation"]
    if drawn:
        return side, drawn
    unit = {sample.sample_id: _unit(sample, together) for sample in side}
    units = sorted(set(unit.values()))
    count = max(1, round(fraction * len(units)))
    if len(units) <= count:
        raise StageError(
            f"the training side holds {len(units)} {kind_of(together)}s, too few to validate on"
        )
    order = np.random.default_rng(seed).permutation(len(units))
    chosen = {units[index] for index in order[:count]}
    fitted = [
        s for s in side
        if unit[s.sample_id] not in chosen
        and not (s.partner and unit[s.partner.sample_id] in chosen)
    ]  # fmt: skip
    held = [s for s in side if unit[s.sample_id] in chosen and s.origin is None]
    return fitted, held


def kind_of(together: str) -> str:
    """What is held out as a whole: a window, a clip, a person or a group of people."""
    return "window" if together == "nothing" else together


def _unit(sample: Sample | Cut, together: str) -> str:
    kind = kind_of(together)
    if kind == "window":
        return sample.origin or sample.sample_id
    return sample.clip_id if kind == "clip" else sample.group
