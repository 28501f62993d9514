"""No camera is asked for: OpenCV's capture of a file reads as that of a camera does."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.media.camera import WARMING, camera_number, live, read_camera, sampled
from pipeline.media.video import read_clip, write_clip

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"  # 16 frames


class Film:
    """A camera that shows a file after its dark start, and a clock that its pictures drive."""

    def __init__(self, rate):
        self.capture, self.read_so_far, self.rate = cv2.VideoCapture(str(TURN)), 0, rate

    def read(self):
        self.read_so_far += 1
        if self.read_so_far <= WARMING:
            return True, np.zeros((128, 128, 3), np.uint8)
        return self.capture.read()

    def clock(self):
        return max(0, self.read_so_far - WARMING - 1) / self.rate


def seen(rate, fps, count):
    film = Film(rate)
    return np.stack(list(sampled(film.read, fps, count, film.clock)))


def test_a_camera_as_fast_as_asked_gives_every_picture_in_rgb():
    difference = seen(8, 8, 16).astype(int) - read_clip(TURN)
    assert np.abs(difference).mean() < 2  # two decoders round colours differently


def test_a_faster_camera_is_thinned():
    np.testing.assert_array_equal(seen(16, 8, 8), seen(8, 8, 16)[::2])


def test_a_slower_camera_gives_some_twice():
    np.testing.assert_array_equal(seen(4, 8, 16), seen(8, 8, 16)[(np.arange(16) + 1) // 2])


def test_a_camera_that_stops_is_one_sentence():
    with pytest.raises(ClipError, match="stopped giving pictures"):
        seen(8, 8, 40)


def test_a_camera_that_is_not_there_is_one_sentence():
    with pytest.raises(ClipError, match=r"camera 97 does not open; .* camera:1"):
        read_camera(97, 8, 1.0, lambda: 0.0)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("camera", 0),
        ("camera:2", 2),
        ("camera.mp4", None),
        ("film/camera", None),
        ("camera:", None),
    ],
)
def test_only_a_cameras_name_is_one(name, number):
    assert camera_number(name) == number


def test_a_film_in_a_cameras_place_is_given_in_stretches(tmp_path):
    frames = np.concatenate([read_clip(TURN)] * 4)  # 64 frames at 8 a second
    write_clip(tmp_path / "film.mp4", frames, 8)
    found = list(live(str(tmp_path / "film.mp4"), 8, 8, lambda: 0.0))
    assert [part.shape for _, part in found] == [(8, 128, 128, 3)] * len(found)
    times = [since for since, _ in found]
    assert times == sorted(times)
    assert len(found) >= 3  # WARMING pictures are left out before each


@pytest.mark.parametrize("source", ["97", "none.mp4"])
def test_a_source_that_does_not_open_is_one_sentence(source):
    with pytest.raises(ClipError, match=f"camera source {source} does not open; name a camera"):
        next(live(source, 8, 8, lambda: 0.0))
