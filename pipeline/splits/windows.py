"""Windows of face crops, the one input of training, evaluation and prediction."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from models import to_grey
from pipeline.errors import StageError
from pipeline.media.video import read_clip
from pipeline.records import Sample
from pipeline.splits.crop_shards import CropShards
from pipeline.splits.tables import Cut

Crops = Mapping[str, np.ndarray]  # clip_id > (T, S, S) uint8 grey, or (T, S, S, 3) RGB


def alone(samples: Iterable[Sample], reference: bool) -> list[Sample]:
    """The samples as they are where a network sees the `reference`, else without theirs."""
    if reference:
        return list(samples)
    return [sample.model_copy(update={"reference": None}) for sample in samples]


def clips_of(samples: Iterable[Sample | Cut]) -> set[str]:
    """The ids of all clips that the samples show, partners and references included."""
    clips = set()
    for sample in samples:
        others = (sample.partner, sample.reference)
        clips |= {sample.clip_id, *(other.clip_id for other in others if other)}
    return clips


def load_crops(faces: Path, clip_ids: Iterable[str], channels: int = 1) -> dict[str, np.ndarray]:
    """The crops of `faces`/<clip_id>.mp4, grey or RGB; ClipError names one that cannot be read."""
    crops = {clip: read_clip(faces / f"{clip}.mp4") for clip in sorted(set(clip_ids))}
    return crops if channels == 3 else {clip: to_grey(frames) for clip, frames in crops.items()}


class Windows:
    """The windows of samples over shards, cut when they are indexed: as `cut_windows` gives them.

    Raises StageError as `cut_windows` does, before anything is read.
    """

    def __init__(self, samples: Sequence[Sample | Cut], crops: CropShards) -> None:
        self._samples, self._crops = samples, crops
        _require_one_shape({_shape(sample, crops) for sample in samples})
        self.shape = (len(samples), *_shape(samples[0], crops))
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        places = range(*rows.indices(len(self))) if isinstance(rows, slice) else rows.tolist()
        return cut_windows([self._samples[place] for place in places], self._crops)


def cut_windows(samples: Sequence[Sample | Cut], crops: Crops) -> np.ndarray:
    """One window a sample, in their order: (N, T, S, S) uint8 grey, (N, T, S, S, C) with more.

    A sample is blended with its partner; its reference's channels stand behind its own. Raises
    StageError when a window passes its clip's end or windows differ in length or size.
    """
    windows = [_compared(sample, crops) for sample in samples]
    _require_one_shape({window.shape for window in windows})
    return np.stack(windows)


def _require_one_shape(shapes: set[tuple[int, ...]]) -> None:
    if len(shapes) != 1:
        raise StageError(f"windows must be of one length and size, got {sorted(shapes)}")


def _shape(sample: Sample | Cut, crops: CropShards) -> tuple[int, ...]:
    frames, *rest = crops.shape(sample.clip_id)
    _require_inside(sample, sample.clip_id, sample.start, frames)
    channels = 1 if len(rest) == 2 else rest[-1]
    if sample.reference:
        return (sample.length, *rest[:2], 2 * channels)
    return (sample.length, *rest)


def _compared(sample: Sample | Cut, crops: Crops) -> np.ndarray:
    own = _blend(sample, crops)
    if sample.reference is None:
        return own
    other = _window(sample, sample.reference.clip_id, sample.reference.start, crops)
    if own.ndim == 3:  # grey
        return np.stack([own, other], axis=-1)
    return np.concatenate([own, other], axis=-1)


def _blend(sample: Sample | Cut, crops: Crops) -> np.ndarray:
    own = _window(sample, sample.clip_id, sample.start, crops)
    if sample.partner is None:
        return own
    other = _window(sample, sample.partner.clip_id, sample.partner.start, crops)
    if own.shape != other.shape:
        raise StageError(f"sample {sample.sample_id} blends {own.shape} with {other.shape}")
    share = sample.partner.share
    return np.rint((1 - share) * own + share * other).astype(np.uint8)


def _window(sample: Sample | Cut, clip: str, start: int, crops: Crops) -> np.ndarray:
    frames = crops[clip]
    _require_inside(sample, clip, start, len(frames))
    return frames[start : start + sample.length]


def _require_inside(sample: Sample | Cut, clip: str, start: int, frames: int) -> None:
    if start + sample.length > frames:
        raise StageError(
            f"sample {sample.sample_id} ends at frame {start + sample.length} "
            f"but clip {clip} has {frames}"
        )
