import numpy as np
import pytest
import skimage.data

from pipeline.errors import AssetError, ClipError
from pipeline.faces import framing
from pipeline.faces.detect import HaarDetector

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
