from pathlib import Path

import numpy as np
import pytest
import skimage.data

from pipeline.faces.detect import HaarDetector
from pipeline.faces.upright import Checked, own_judge, plausible, quarter_turns, upright_picture
from pipeline.media.video import read_clip

DATA = Path(__file__).parents[2] / "data" / "faces"
ASTRONAUT = skimage.data.astronaut()
POINTS = np.load(DATA / "turn.npz")["landmarks_px"][0]


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_a_picture_is_set_upright_and_that_is_said(turned):
    picture, note = upright_picture(np.ascontiguousarray(np.rot90(ASTRONAUT, turned)))
    assert np.array_equal(picture, ASTRONAUT)
    assert note.startswith("the picture lies upside down" if turned == 2 else "the picture lies on")


def test_an_upright_picture_stays_as_it_is():
    picture, note = upright_picture(ASTRONAUT)
    assert picture is ASTRONAUT or np.array_equal(picture, ASTRONAUT)
    assert note is None


def test_the_judge_is_of_the_place_where_one_asks(tmp_path, monkeypatch):
    here = own_judge()
    monkeypatch.chdir(tmp_path)
    assert own_judge() is None
    monkeypatch.undo()
    assert own_judge() is here is not None


def test_a_clip_on_its_side_is_known():
    frame = read_clip(DATA / "turn.mp4")[0]
    assert quarter_turns([np.rot90(frame, 1)], own_judge()) == 3


def test_a_rocket_is_no_face():
    upside_down = np.ascontiguousarray(ASTRONAUT[::-1, ::-1])
    assert len(HaarDetector().find(upside_down)) == 1  # the model behind her
    assert len(Checked(HaarDetector(), own_judge()).find(upside_down)) == 0
    assert len(Checked(HaarDetector(), None).find(upside_down)) == 1


@pytest.mark.parametrize("degrees", [0, 30, -30])
def test_landmarks_of_a_tilted_face_are_plausible(degrees):
    assert plausible(turned(degrees))


@pytest.mark.parametrize("degrees", [60, 90, 180, -90])
def test_landmarks_of_a_lying_face_are_not(degrees):
    assert not plausible(turned(degrees))


def turned(degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return POINTS @ np.array([[cosine, sine], [-sine, cosine]])
