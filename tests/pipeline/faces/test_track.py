import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.faces.detect import HaarDetector
from pipeline.faces.quality import Rejected
from pipeline.faces.track import WORKING, follow, overlap, working_grey

BOX = np.array([48.0, 25.0, 84.0, 61.0])  # the astronaut's face at 128 px


def nothing(frame):
    """A detector that finds no face, so that flow alone carries the box."""
    return np.zeros((0, 4))


def centres(boxes):
    return (boxes[:, :2] + boxes[:, 2:]) / 2


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(right=st.floats(-15, 15), down=st.floats(-8, 8))
def test_flow_follows_a_shift_to_half_a_pixel(astronaut, right, down):
    boxes = follow(astronaut(right=right, down=down), BOX, nothing)
    phase = np.sin(np.pi * np.linspace(0, 1, 16))[:, None]
    np.testing.assert_allclose(centres(boxes), centres(BOX[None]) + phase * (right, down), atol=0.5)


def test_flow_grows_with_the_face(astronaut):
    sides = np.diff(follow(astronaut(right=0, zoom=0.3), BOX, nothing)[:, [0, 2]])[:, 0]
    assert sides.max() / sides[0] == pytest.approx(1.3, abs=0.02)


def test_size_of_the_picture_does_not_matter(astronaut):
    small, large = (
        follow(astronaut(), BOX, nothing),
        follow(astronaut(right=24, size=384), BOX * 3, nothing),
    )
    np.testing.assert_allclose(large / 3, small, atol=0.3)


def test_a_cut_to_another_picture_loses_the_face(astronaut):
    frames = astronaut()
    frames[8:] = np.random.default_rng(0).integers(0, 255, frames[8:].shape)
    with pytest.raises(Rejected, match="frame 8") as caught:
        follow(frames, BOX, nothing)
    assert caught.value.reason == "face_lost"


def test_nothing_to_trace_loses_the_face(astronaut):
    frames = astronaut()
    frames[3:] = 128
    with pytest.raises(Rejected, match="lost in frame 3"):
        follow(frames, BOX, nothing)


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (720, 405)])
def test_working_size_is_one_size(shape):
    grey, scale = working_grey(np.zeros((*shape, 3), np.uint8))
    assert min(grey.shape) == WORKING == round(min(shape) * scale)


def test_detector_and_flow_agree_on_a_moving_face(astronaut):
    frames = astronaut(right=12)
    by_flow = follow(frames, BOX, nothing)
    by_both = follow(frames, BOX, HaarDetector().find)
    assert min(overlap(one, other) for one, other in zip(by_flow, by_both, strict=True)) > 0.75


def test_a_face_found_again_ends_drift(astronaut):
    start = BOX + 4  # as if flow had drifted
    boxes = follow(astronaut(right=0.0), start, HaarDetector().find)
    assert overlap(boxes[1], BOX) > overlap(start, BOX)


def test_another_face_is_not_taken_for_the_one_followed(astronaut):
    far, large = BOX + 60, BOX + np.array([-30, -30, 30, 30])
    boxes = follow(astronaut(right=0.0), BOX, lambda _: np.stack([far, large]))
    np.testing.assert_allclose(boxes, np.tile(BOX, (16, 1)), atol=0.1)


def test_overlap_is_one_on_itself_and_zero_apart():
    assert overlap(BOX, BOX) == 1
    assert overlap(BOX, BOX + 40) == 0
    assert overlap(np.array([0.0, 0, 2, 2]), np.array([1.0, 0, 3, 2])) == pytest.approx(1 / 3)
