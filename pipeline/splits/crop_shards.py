"""Crops on disk, read as they are asked for: training that sees more clips than memory holds.

Clips are decoded once and stand one behind the other in files of raw bytes. They are read with
`pread`, not mapped: mapped pages would count as memory until all of it is full.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from models import to_grey
from pipeline.errors import StageError
from pipeline.media.video import read_clip

SHARD = 256_000_000  # bytes of a file, about


class CropShards(Mapping[str, np.ndarray]):
    """clip_id > its crops, as `load_crops` gives them; read anew each time."""

    def __init__(self, folder: Path, close: ExitStack) -> None:
        self._folder, self._close = folder, close
        self._files: list[int] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._known: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._end = SHARD

    def add(self, clip: str, frames: np.ndarray) -> None:
        """Append the (T, S, S) or (T, S, S, C) uint8 crops of a clip."""
        if self._end >= SHARD:
            self._files.append(self._open())
            self._end = 0
        _write(self._files[-1], frames)
        self._places[clip] = (len(self._files) - 1, self._end)
        self._shapes[clip] = self._known.setdefault(frames.shape, frames.shape)
        self._end += frames.nbytes

    def shape(self, clip: str) -> tuple[int, ...]:
        """The shape of a clip's crops, without reading them."""
        return self._shapes[clip]

    def __getitem__(self, clip: str) -> np.ndarray:
        number, start = self._places[clip]
        shape = self._shapes[clip]
        size = int(np.prod(shape))
        found = os.pread(self._files[number], size, start)
        if len(found) < size:
            raise StageError(f"{self._folder}: the crops of {clip} are cut short; train again")
        return np.frombuffer(found, np.uint8).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _open(self) -> int:
        path = self._folder / f"crops-{len(self._files):04}.u8"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._close.callback(os.close, file)
        return file


@contextmanager
def crop_shards(folder: Path) -> Iterator[CropShards]:
    """Shards without a clip yet in a folder, whose files are closed at the end of the block."""
    with ExitStack() as close:
        yield CropShards(folder, close)


def shard_crops(
    shards: CropShards, faces: Path, clip_ids: Iterable[str], channels: int = 1
) -> CropShards:
    """The crops of `faces`/<clip_id>.mp4 added to the shards; raises as `load_crops` does."""
    for clip in sorted(set(clip_ids)):
        frames = read_clip(faces / f"{clip}.mp4")
        shards.add(clip, frames if channels == 3 else to_grey(frames))
    return shards


def _write(file: int, frames: np.ndarray) -> None:
    left = memoryview(frames.tobytes())
    while left:
        left = left[os.write(file, left) :]
