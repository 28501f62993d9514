"""Windows of grey face crops, the one input of training, evaluation and prediction."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models import to_grey
from pipeline.errors import StageError
from pipeline.media.video import read_clip
from pipeline.records import Sample

Crops = dict[str, np.ndarray]  # clip_id > (T, S, S) uint8 grey


def clips_of(samples: Iterable[Sample]) -> set[str]:
    """The ids of all clips that the samples show, partners included."""
    shown = [(sample.clip_id, sample.partner) for sample in samples]
    return {clip_id for clip_id, _ in shown} | {p.clip_id for _, p in shown if p}


def load_crops(faces: Path, clip_ids: Iterable[str]) -> Crops:
    """The grey crops of `faces`/<clip_id>.mp4; ClipError names one that cannot be read."""
    return {
        clip_id: to_grey(read_clip(faces / f"{clip_id}.mp4")) for clip_id in sorted(set(clip_ids))
    }


def cut_windows(samples: Sequence[Sample], crops: Crops) -> np.ndarray:
    """(N, T, S, S) uint8 grey, one window a sample, in their order; blended with its partner.

    Raises StageError when a window passes its clip's end or windows differ in length or size.
    """
    windows = [_blend(sample, crops) for sample in samples]
    shapes = {window.shape for window in windows}
    if len(shapes) != 1:
        raise StageError(f"windows must be of one length and size, got {sorted(shapes)}")
    return np.stack(windows)


def _blend(sample: Sample, crops: Crops) -> np.ndarray:
    own = _window(sample, crops[sample.clip_id])
    if sample.partner is None:
        return own
    moved = sample.model_copy(update={"start": sample.partner.start})
    other = _window(moved, crops[sample.partner.clip_id])
    if own.shape != other.shape:
        raise StageError(f"sample {sample.sample_id} blends {own.shape} with {other.shape}")
    share = sample.partner.share
    return np.rint((1 - share) * own + share * other).astype(np.uint8)


def _window(sample: Sample, frames: np.ndarray) -> np.ndarray:
    window = frames[sample.start : sample.start + sample.length]
    if len(window) < sample.length:
        raise StageError(
            f"sample {sample.sample_id} ends at frame {sample.start + sample.length} "
            f"but clip {sample.clip_id} has {len(frames)}"
        )
    return window
