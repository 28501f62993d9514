"""The motion model as everything of the line runs it.

Which arithmetic is the cheapest correct one on this processor is chosen in one place, by
`fomm.prepare`, and said with its reason.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

import fomm
from pipeline.errors import AssetError


@lru_cache(maxsize=1)  # by its whole path: the same relative one is another file elsewhere
def _prepared(checkpoint: Path, mode: str) -> fomm.Prepared:
    try:
        return fomm.prepare(fomm.load_checkpoint(checkpoint, config="auto"), mode)
    except (fomm.CheckpointError, fomm.MotionError) as error:
        raise AssetError(str(error)) from error


def fitted(frames: np.ndarray, config: fomm.MotionConfig) -> np.ndarray:
    """(T, S, S, 3) uint8 at the size of a published model; at their own for any other."""
    size = config.size
    if not config.fixed or frames.shape[1] == size:
        return frames
    return _scaled(frames, size)


def _scaled(frames: np.ndarray, size: int) -> np.ndarray:
    way = cv2.INTER_AREA if frames.shape[1] > size else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (size, size), interpolation=way) for frame in frames])


def returned(frames: np.ndarray, size: int) -> np.ndarray:
    """What a model made (T, S, S, 3) uint8, at `size` px again."""
    return frames if frames.shape[1] == size else _scaled(frames, size)


def engine(checkpoint: Path, mode: str = "exact") -> fomm.Prepared:
    """The model of a checkpoint, prepared for this processor in a mode of fomm.fast.

    Frames of `exact` lie within about 1e-4 of [0, 1] of the plain model's. The last one is kept for
    the next caller of a process. Raises AssetError for a bad checkpoint or an unknown mode.
    """
    return _prepared(checkpoint.resolve(), mode)
