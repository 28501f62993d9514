from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from pipeline.errors import AssetError, ClipError
from pipeline.faces import framing
from pipeline.faces.detect import HaarDetector
from pipeline.media.video import read_clip

ASTRONAUT = skimage.data.astronaut()


def test_the_face_lies_where_the_avatars_have_it():
    framed = framing.frame_face(ASTRONAUT, 128)
    left, top, right, bottom = HaarDetector().find(framed)[0] / 128
    assert framed.shape == (128, 128, 3)
    assert right - left == pytest.approx(framing.BOX_WIDTH, abs=0.08)
    assert (top + bottom) / 2 == pytest.approx(0.5 + framing.BOX_DROP, abs=0.06)


def test_a_picture_without_a_face_is_refused():
    with pytest.raises(AssetError, match="cannot be framed: no face"):
        framing.frame_face(np.full((200, 200, 3), 128, np.uint8), 64)


PROFILE = read_clip(Path(__file__).parents[2] / "data" / "faces" / "turn.mp4")[6]
PROFILE[:, :40] = PROFILE[0, 0]  # of a head turned by 40 degrees, without its farther half
TWO = np.concatenate([ASTRONAUT[:300, 60:380]] * 2, axis=1)
TINY = cv2.resize(ASTRONAUT[60:260, 130:310], (36, 40), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (PROFILE, "no face looks into the camera, one is seen from the side"),
        (TWO, "the picture shows 2 faces of like size; cut out one of them"),
        (np.full((90, 90, 3), 9, np.uint8), "no face was found; show one from the front, uncov"),
        (TINY, r"its face is \d+ px wide; give a larger picture, with 32 px or more"),
    ],
)
def test_a_portrait_that_cannot_be_framed_is_one_sentence(picture, says):
    with pytest.raises(AssetError, match=f"^a portrait cannot be framed: {says}"):
        framing.frame_face(picture, 128)


def test_a_clip_is_seen_through_one_standing_view(astronaut):
    clip = astronaut(right=10.0, frames=3, size=256)
    framed = framing.frame_clip(clip, 128)
    assert framed.shape == (3, 128, 128, 3)
    assert np.array_equal(framed[0], framing.frame_face(clip[0], 128))
    first, apex = (HaarDetector().find(frame)[0] for frame in framed[:2])
    assert apex[0] > first[0]  # the head's own move is still there


@pytest.mark.parametrize(
    ("frames", "says"),
    [(ASTRONAUT[None], "one frame"), (np.full((2, 200, 200, 3), 9, np.uint8), "no face")],
)
def test_unfit_clips_are_refused(frames, says):
    with pytest.raises(ClipError, match=says):
        framing.frame_clip(frames, 128)
