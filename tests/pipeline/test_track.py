import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.quality import Rejected
from pipeline.track import WORKING, follow_flow, working_grey

BOX = np.array([48.0, 25.0, 84.0, 61.0])  # the astronaut's face at 128 px


def centres(boxes):
    return (boxes[:, :2] + boxes[:, 2:]) / 2


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(right=st.floats(-15, 15), down=st.floats(-8, 8))
def test_box_follows_a_shift_to_half_a_pixel(astronaut, right, down):
    boxes = follow_flow(astronaut(right=right, down=down), BOX)
    phase = np.sin(np.pi * np.linspace(0, 1, 16))[:, None]
    np.testing.assert_allclose(centres(boxes), centres(BOX[None]) + phase * (right, down), atol=0.5)


def test_box_grows_with_the_face(astronaut):
    sides = np.diff(follow_flow(astronaut(right=0, zoom=0.3), BOX)[:, [0, 2]])[:, 0]
    assert sides.max() / sides[0] == pytest.approx(1.3, abs=0.02)


def test_size_of_the_picture_does_not_matter(astronaut):
    small, large = (
        follow_flow(astronaut(), BOX),
        follow_flow(astronaut(right=24, size=384), BOX * 3),
    )
    np.testing.assert_allclose(large / 3, small, atol=0.3)


def test_a_cut_to_another_picture_loses_the_face(astronaut):
    frames = astronaut()
    frames[8:] = np.random.default_rng(0).integers(0, 255, frames[8:].shape)
    with pytest.raises(Rejected, match="frame 8") as caught:
        follow_flow(frames, BOX)
    assert caught.value.reason == "face_lost"


def test_nothing_to_trace_loses_the_face(astronaut):
    frames = astronaut()
    frames[3:] = 128
    with pytest.raises(Rejected, match="lost in frame 3"):
        follow_flow(frames, BOX)


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (720, 405)])
def test_working_size_is_one_size(shape):
    grey, scale = working_grey(np.zeros((*shape, 3), np.uint8))
    assert min(grey.shape) == WORKING == round(min(shape) * scale)
