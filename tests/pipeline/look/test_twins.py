"""Twins: films that browsers play, made once; strips that hold every frame."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.look import twins
from pipeline.media.video import read_clip, write_clip


@pytest.fixture
def film(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (7, 34, 34, 3), dtype=np.uint8)
    path = tmp_path / "data/toy/clips/clip-1.mp4"
    write_clip(path, frames, 8)
    return path


def test_a_twin_is_yuv420p_and_says_that_it_is_synthetic(film, tmp_path):
    twin = twins.playable(film, tmp_path, "CC0-1.0")
    run = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(twin)]
    said = subprocess.run(run, capture_output=True, text=True).stderr
    assert "h264" in said
    assert "yuv420p" in said
    assert "Synthetic: made by Pallor" in said
    assert "CC0-1.0" in said
    assert len(read_clip(twin)) == 7 * 3  # shown at 24 frames a second


def test_a_twin_is_made_once_and_anew_when_its_film_changes(film, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: twins.playable(film, tmp_path), range(4)))
    [twin] = made
    stamp = twin.stat().st_mtime_ns
    assert twins.playable(film, tmp_path).stat().st_mtime_ns == stamp
    write_clip(film, np.zeros((3, 34, 34, 3), np.uint8), 8)
    other = twins.playable(film, tmp_path)
    assert [*twin.parent.iterdir()] == [other]
    assert other != twin


def test_a_strip_holds_every_frame_row_by_row(film, tmp_path):
    sheet = cv2.imread(str(twins.strip(film, tmp_path)))[..., ::-1]
    wide = twins.columns(7)
    assert wide == 3
    for number, frame in enumerate(read_clip(film)):
        top, left = number // wide * 34, number % wide * 34
        assert np.array_equal(sheet[top : top + 34, left : left + 34], frame)


def test_a_long_film_is_thinned():
    assert (twins.step(240), twins.step(241), twins.step(1000)) == (1, 2, 5)
    assert twins.columns(1000) == 15


@pytest.mark.parametrize("make", [lambda f, h: twins.still(f), twins.playable, twins.strip])
def test_a_film_that_is_gone_or_broken_is_one_sentence(film, tmp_path, make):
    film.write_bytes(b"no film")
    with pytest.raises(ClipError, match="cannot be read as a video"):
        make(film, tmp_path)
    film.unlink()
    with pytest.raises(ClipError, match=r"the film .*clip-1.mp4 is gone; `dvc checkout`"):
        make(film, tmp_path)
    assert not [*tmp_path.rglob("*.part*")]
