"""Lossless clips: RGB frames to mp4 and back, byte for byte the same each time."""

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import imageio_ffmpeg  # noqa: F401 - the encoder behind plugin FFMPEG: its version decides bytes
import numpy as np

from pipeline.errors import ClipError
from pipeline.files import writing

Frames = np.ndarray  # (T, H, W, 3) uint8 RGB

PIXELS = 8192 * 4320  # of a frame: 8K film; a few kB of a file can claim far more
LARGEST = 4e9  # bytes of frames held at once
BOUNDED = ["-max_pixels", str(PIXELS)]

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
    """The (T, H, W, 3) uint8 RGB frames of a video file.

    Raises ClipError when it cannot be read or would take more than LARGEST bytes of memory.
    """
    if not path.is_file():
        raise ClipError(f"{path} is missing")
    frames: list[np.ndarray] = []
    try:
        for frame in decoded(path):
            frames.append(frame)
            if len(frames) * frame.nbytes > LARGEST:
                raise ClipError(f"{path} holds more than {LARGEST / 1e9:.0f} GB of frames; cut it")
        return np.stack(frames)
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> ClipError:
    """ffmpeg's page of words on a file that it cannot decode, as one sentence."""
    if "max pixel count" in str(error):
        most = f"{PIXELS / 1e6:.0f} million pixels"
        return ClipError(f"{path} claims frames of more than {most}; scale it down")
    return ClipError(f"{path} cannot be read as a video")


def decoded(path: Path) -> Iterator[np.ndarray]:
    """The (H, W, 3) uint8 RGB frames of a video file as ffmpeg decodes them, one at a time.

    ffmpeg refuses frames of more than PIXELS pixels before it takes memory for one.
    """
    return iio.imiter(path, plugin="FFMPEG", input_params=BOUNDED)


def frame_rate(path: Path) -> float:
    """The frames a second that a video file claims."""
    with (
        iio.imopen(path, "r", plugin="FFMPEG") as video,  # type: ignore[call-overload]
        video.legacy_get_reader(input_params=BOUNDED) as reader,
    ):
        return float(reader.get_meta_data()["fps"])
