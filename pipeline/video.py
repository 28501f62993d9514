"""Lossless clips: RGB frames to mp4 and back, byte for byte the same each time."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np

from pipeline.errors import ClipError
from pipeline.files import writing

Frames = np.ndarray  # (T, H, W, 3) uint8 RGB

# libx264rgb at qp 0 is lossless; one thread and the bitexact flags make its bytes repeatable.
_LOSSLESS = ["-qp", "0", "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


def write_clip(path: Path, frames: Frames, fps: int) -> None:
    """Write (T, H, W, 3) uint8 RGB frames losslessly to an mp4 file."""
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ClipError(
            f"{path.name}: a clip is (T, H, W, 3) uint8 with T > 0, "
            f"got {frames.shape} {frames.dtype}"
        )
    with writing(path) as part:
        iio.imwrite(
            part, frames, extension=".mp4", plugin="FFMPEG", fps=fps, codec="libx264rgb",
            pixelformat="rgb24", macro_block_size=1, ffmpeg_log_level="error",
            output_params=_LOSSLESS,
        )  # fmt: skip


def read_clip(path: Path) -> Frames:
    """The (T, H, W, 3) uint8 RGB frames of a video file; ClipError when it cannot be read."""
    if not path.is_file():
        raise ClipError(f"{path} is missing")
    try:
        frames = np.stack(list(iio.imiter(path, plugin="FFMPEG")))
    except (OSError, ValueError, RuntimeError) as error:
        raise ClipError(f"{path} cannot be read as a video: {error}") from error
    return frames
