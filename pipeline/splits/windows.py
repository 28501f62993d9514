"""Windows of face crops, the one input of training, evaluation and prediction."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models import to_grey
from pipeline.errors import StageError
from pipeline.media.video import read_clip
from pipeline.records import Sample

Crops = dict[str, np.ndarray]  # clip_id > (T, S, S) uint8 grey, or (T, S, S, 3) RGB


def alone(samples: Iterable[Sample], reference: bool) -> list[Sample]:
    """The samples as they are where a network sees the `reference`, else without theirs."""
    if reference:
        return list(samples)
    return [sample.model_copy(update={"reference": None}) for sample in samples]


def clips_of(samples: Iterable[Sample]) -> set[str]:
    """The ids of all clips that the samples show, partners and references included."""
    clips = set()
    for sample in samples:
        others = (sample.partner, sample.reference)
        clips |= {sample.clip_id, *(other.clip_id for other in others if other)}
    return clips


def load_crops(faces: Path, clip_ids: Iterable[str], channels: int = 1) -> Crops:
    """The crops of `faces`/<clip_id>.mp4, grey or RGB; ClipError names one that cannot be read."""
    crops = {clip: read_clip(faces / f"{clip}.mp4") for clip in sorted(set(clip_ids))}
    return crops if channels == 3 else {clip: to_grey(frames) for clip, frames in crops.items()}


def cut_windows(samples: Sequence[Sample], crops: Crops) -> np.ndarray:
    """One window a sample, in their order: (N, T, S, S) uint8 grey, (N, T, S, S, C) with more.

    A sample is blended with its partner; its reference's channels stand behind its own. Raises
    StageError when a window passes its clip's end or windows differ in length or size.
    """
    windows = [_compared(sample, crops) for sample in samples]
    shapes = {window.shape for window in windows}
    if len(shapes) != 1:
        raise StageError(f"windows must be of one length and size, got {sorted(shapes)}")
    return np.stack(windows)


def _compared(sample: Sample, crops: Crops) -> np.ndarray:
    own = _blend(sample, crops)
    if sample.reference is None:
        return own
    moved = sample.model_copy(update={"start": sample.reference.start})
    other = _window(moved, crops[sample.reference.clip_id])
    if own.ndim == 3:  # grey
        return np.stack([own, other], axis=-1)
    return np.concatenate([own, other], axis=-1)


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
