"""The motion model as everything of the line runs it.

Which arithmetic is the cheapest correct one on this processor is chosen in one place, by
`fomm.prepare`, and said with its reason.
"""

from functools import lru_cache
from pathlib import Path

import fomm
from pipeline.errors import AssetError


@lru_cache(maxsize=1)  # by its whole path: the same relative one is another file elsewhere
def _prepared(checkpoint: Path, mode: str) -> fomm.Prepared:
    try:
        return fomm.prepare(fomm.load_checkpoint(checkpoint, config="auto"), mode)
    except (fomm.CheckpointError, fomm.MotionError) as error:
        raise AssetError(str(error)) from error


def engine(checkpoint: Path, mode: str = "exact") -> fomm.Prepared:
    """The model of a checkpoint, prepared for this processor in a mode of fomm.fast.

    Frames of `exact` lie within about 1e-4 of [0, 1] of the plain model's. The last one is kept for
    the next caller of a process. Raises AssetError for a bad checkpoint or an unknown mode.
    """
    return _prepared(checkpoint.resolve(), mode)
