"""Copies made before the split, as a published corpus must have made them: a leak to be shown.

Each copy is a unit of its own. It falls on any side, so a copy of a training picture is tested, or
the other way round. `Sample.origin` says of which window it is; training changes it as it changes
every window, and evaluation once (`pipeline.evaluation.answers`).
"""

from collections.abc import Sequence

import numpy as np

from pipeline.files import child_seed
from pipeline.records import FaceTrack, Sample
from pipeline.study import Protocol


def with_copies(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, seed: int
) -> list[Sample]:
    """The windows, each followed by its copy if it is drawn for one.

    Of each label the share `protocol.copies` of the windows that are trained on is drawn, each at
    most once.
    """
    trained = {track.clip_id for track in tracks if track.trained}
    chosen: set[str] = set()
    for label in sorted({window.label for window in windows} if protocol.copies else ()):
        mine = [w.sample_id for w in windows if w.label == label and w.clip_id in trained]
        order = np.random.default_rng(child_seed(seed, label)).permutation(len(mine))
        chosen |= {mine[n] for n in order[: round(protocol.copies * len(mine))]}
    return [
        unit
        for window in windows
        for unit in (window, window.copied(0))[: 1 + (window.sample_id in chosen)]
    ]


def straddling(samples: Sequence[Sample]) -> dict[str, int]:
    """How many `pairs` of a window and its copy there are, and how many are tested and learnt."""
    tested = {sample.sample_id: sample.side == "test" for sample in samples}
    pairs = [(s.origin, s.sample_id) for s in samples if s.origin in tested]
    return {
        "pairs": len(pairs),
        "shared": sum(tested[origin] != tested[copy] for origin, copy in pairs if origin),
    }
