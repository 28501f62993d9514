"""Windows of grey face crops, the one input of training, evaluation and prediction."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models import to_grey
from pipeline.errors import StageError
from pipeline.records import Sample
from pipeline.video import read_clip

Crops = dict[str, np.ndarray]  # clip_id > (T, S, S) uint8 grey


def load_crops(faces: Path, clip_ids: Iterable[str]) -> Crops:
    """The grey crops of `faces`/<clip_id>.mp4; ClipError names one that cannot be read."""
    return {
        clip_id: to_grey(read_clip(faces / f"{clip_id}.mp4")) for clip_id in sorted(set(clip_ids))
    }


def cut_windows(samples: Sequence[Sample], crops: Crops) -> np.ndarray:
    """(N, T, S, S) uint8 grey, one window a sample, in their order.

    Raises StageError when a window passes its clip's end or windows differ in length or size.
    """
    windows = [_window(sample, crops[sample.clip_id]) for sample in samples]
    shapes = {window.shape for window in windows}
    if len(shapes) != 1:
        raise StageError(f"windows must be of one length and size, got {sorted(shapes)}")
    return np.stack(windows)


def _window(sample: Sample, frames: np.ndarray) -> np.ndarray:
    window = frames[sample.start : sample.start + sample.length]
    if len(window) < sample.length:
        raise StageError(
            f"sample {sample.sample_id} ends at frame {sample.start + sample.length} "
            f"but clip {sample.clip_id} has {len(frames)}"
        )
    return window
