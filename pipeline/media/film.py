"""Clips to watch: ordinary H.264 that every player and browser opens.

Lossless RGB clips (`pipeline.media.video`) keep every value for the next stage, but few players
open them. A film is for eyes only and never read back. Its container says that it is synthetic,
in the comment and description that players and `ffprobe` show.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from imageio.v2 import get_writer

from pipeline.errors import ClipError
from pipeline.files import writing
from pipeline.media.video import Frames

REPEATS = 3  # times the clip is shown: two seconds are over before one has looked
MARK = "Synthetic: made by Pallor. What is shown was never filmed."
FPS = 24  # players drop or stutter at 8 frames a second


def write_film(
    path: Path, frames: Frames, fps: int, repeats: int = REPEATS, rights: str = ""
) -> None:
    """Write (T, H, W, 3) uint8 RGB frames of `fps` a second as a film of `repeats` times the clip.

    The film is marked as synthetic; `rights` says under which licence the face is shown. Raises
    ClipError when `path` does not end in .mp4.
    """
    if path.suffix != ".mp4":
        raise ClipError(f"{path} must end in .mp4")
    held = np.repeat(np.concatenate([frames] * repeats), max(1, FPS // fps), axis=0)
    with writing(path) as part:
        iio.imwrite(
            part, held, extension=".mp4", plugin="FFMPEG", fps=fps * max(1, FPS // fps),
            codec="libx264", pixelformat="yuv420p", macro_block_size=2, ffmpeg_log_level="error",
            output_params=["-crf", "16", "-threads", "1", *_marked(rights)],
        )  # fmt: skip


def stream_film(path: Path, frames: Iterable[np.ndarray], fps: int, rights: str = "") -> None:
    """As `write_film`, shown once, from (H, W, 3) uint8 RGB frames that come one by one."""
    if path.suffix != ".mp4":
        raise ClipError(f"{path} must end in .mp4")
    held = max(1, FPS // fps)
    with writing(path) as part, _writer(part, fps * held, rights) as writer:
        for frame in frames:
            for _ in range(held):
                writer.append_data(frame)


def _writer(part: Path, fps: int, rights: str) -> Any:
    return get_writer(
        part, format="FFMPEG", mode="I", fps=fps, codec="libx264", pixelformat="yuv420p",
        macro_block_size=2, ffmpeg_log_level="error",
        output_params=["-crf", "16", "-threads", "1", *_marked(rights)],
    )  # fmt: skip


def _marked(rights: str) -> list[str]:
    """ffmpeg's options that write the mark, and the face's licence, into the container."""
    texts = {"comment": MARK, "description": MARK, "copyright": rights}
    return [
        part for name, text in texts.items() if text for part in ("-metadata", f"{name}={text}")
    ]
