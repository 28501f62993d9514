import resource
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.media import footage, video

READERS = [video.read_clip, lambda path: footage.read_footage(path, 8)]


def film(path, picture, codec):
    """What ffmpeg makes of a synthetic source."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture]
    subprocess.run([*command, "-c:v", codec, str(path)], check=True)
    return path


@pytest.mark.parametrize("reader", READERS, ids=["clip", "footage"])
def test_frames_of_huge_dimensions_are_refused_before_memory_is_taken(reader, tmp_path):
    bomb = film(tmp_path / "bomb.mkv", "color=black:s=9000x9000:r=1:d=1", "png")
    assert bomb.stat().st_size < 1e6
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ClipError, match=r"bomb\.mkv claims frames of more than 35 million pixels"):
        reader(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_a_clip_that_does_not_end_is_refused(tmp_path, monkeypatch):
    video.write_clip(tmp_path / "clip.mp4", np.zeros((9, 32, 32, 3), np.uint8), 8)
    monkeypatch.setattr(video, "LARGEST", 8 * 32 * 32 * 3)
    with pytest.raises(ClipError, match=r"clip\.mp4 holds more than .* GB of frames"):
        video.read_clip(tmp_path / "clip.mp4")


@pytest.mark.parametrize("rate", [2000, 90000])
def test_an_absurd_frame_rate_is_refused(tmp_path, rate):
    fast = film(tmp_path / "fast.mp4", f"color=black:s=32x32:r={rate}:d=0.1", "libx264")
    with pytest.raises(ClipError, match="frames a second; it takes 1 to 1000"):
        footage.read_footage(fast, 8)


@pytest.mark.parametrize("reader", READERS, ids=["clip", "footage"])
def test_what_is_no_video_is_one_sentence(reader, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(ClipError) as caught:
        reader(tmp_path / "clip.mp4")
    assert str(caught.value) == f"{tmp_path / 'clip.mp4'} cannot be read as a video"
