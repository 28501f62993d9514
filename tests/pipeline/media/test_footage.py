import imageio.v3 as iio
import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.media.footage import LONGEST, SHORT_SIDE, read_footage
from pipeline.media.video import write_clip


def ramp(frames, size=(64, 64)):
    """A clip whose brightness tells the time: frame n has the grey value 5 n."""
    return np.stack([np.full((*size, 3), 5 * n % 256, np.uint8) for n in range(frames)])


@pytest.mark.parametrize(("fps", "frames"), [(8, 16), (16, 32), (24, 48), (4, 8)])
def test_any_rate_becomes_the_asked_one(tmp_path, fps, frames):
    write_clip(tmp_path / "clip.mp4", ramp(frames), fps)
    grey = read_footage(tmp_path / "clip.mp4", 8)[:, 0, 0, 0]
    np.testing.assert_array_equal(grey, np.arange(16) * fps // 8 * 5)


def test_own_rate_is_read_exactly(tmp_path):
    write_clip(tmp_path / "clip.mp4", ramp(16), 8)
    np.testing.assert_array_equal(read_footage(tmp_path / "clip.mp4", 8), ramp(16))


def test_large_pictures_are_scaled(tmp_path):
    write_clip(tmp_path / "clip.mp4", ramp(4, (720, 1280)), 8)
    assert read_footage(tmp_path / "clip.mp4", 8).shape[1:3] == (SHORT_SIDE, 853)


@pytest.mark.parametrize("kind", ["mkv", "avi", "webm"])
def test_other_containers_are_read(tmp_path, kind):
    codec = "libvpx" if kind == "webm" else "libx264"
    iio.imwrite(tmp_path / f"clip.{kind}", ramp(16), plugin="FFMPEG", fps=16, codec=codec)
    assert len(read_footage(tmp_path / f"clip.{kind}", 8)) == 8


def test_longer_than_the_limit_is_refused(tmp_path):
    write_clip(tmp_path / "clip.mp4", ramp(LONGEST + 2, (16, 16)), 1)
    with pytest.raises(ClipError, match="lasts longer than 60 s"):
        read_footage(tmp_path / "clip.mp4", 8)


@pytest.mark.parametrize("content", [b"", b"this is no video"])
def test_no_video_is_one_sentence(tmp_path, content):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(ClipError, match="cannot be read as a video"):
        read_footage(tmp_path / "clip.mp4", 8)
    with pytest.raises(ClipError, match="is missing"):
        read_footage(tmp_path / "none.mp4", 8)
