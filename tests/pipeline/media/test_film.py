import subprocess

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.media.film import MARK, REPEATS, write_film


def test_a_film_shows_the_clip_three_times_at_a_rate_players_like(tmp_path):
    levels = np.array([40, 120, 200], dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (3, 32, 32, 3))
    write_film(tmp_path / "film.mp4", frames, fps=8)
    shown = iio.imread(tmp_path / "film.mp4", plugin="FFMPEG")
    assert len(shown) == REPEATS * 3 * 3
    assert np.abs(shown.mean(axis=(1, 2, 3)) - np.tile(levels.repeat(3), REPEATS)).max() < 4
    assert iio.immeta(tmp_path / "film.mp4", plugin="FFMPEG")["pix_fmt"].startswith("yuv420p")


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ClipError, match=r"must end in \.mp4"):
        write_film(tmp_path / "film.gif", np.zeros((1, 8, 8, 3), np.uint8), fps=8)


def test_a_film_says_in_its_container_that_it_is_synthetic(tmp_path):
    write_film(tmp_path / "film.mp4", np.zeros((2, 16, 16, 3), np.uint8), 8, rights="CC-BY-4.0")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "film.mp4"]
    told = subprocess.run([*command, "-f", "ffmetadata", "-"], capture_output=True, text=True)
    assert f"comment={MARK}" in told.stdout
    assert "copyright=CC-BY-4.0" in told.stdout
