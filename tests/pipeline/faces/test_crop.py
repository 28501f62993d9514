import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.faces.crop import crop_boxes, cut


def walk(seed, frames=12):
    rng = np.random.default_rng(seed)
    centres = 60 + np.cumsum(rng.normal(0, 2, (frames, 2)), axis=0)
    half = rng.uniform(18, 22, (frames, 1))
    return np.hstack([centres - half, centres + half])


@given(st.integers(0, 2**32), st.floats(0, 0.5))
def test_boxes_are_square_of_one_whole_size(seed, margin):
    boxes = crop_boxes(walk(seed), margin)
    sides = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_allclose(sides, sides[0, 0])
    assert sides[0, 0] == pytest.approx(round(sides[0, 0]))


@given(st.integers(0, 2**32))
def test_smoothing_never_shakes_more(seed):
    faces = walk(seed)
    shake = np.abs(np.diff(faces[:, :2] + faces[:, 2:], axis=0)).sum()
    boxes = crop_boxes(faces, 0.2)
    assert np.abs(np.diff(boxes[:, :2] + boxes[:, 2:], axis=0)).sum() <= shake


def test_still_face_gives_still_box_with_its_margin():
    faces = np.tile([20.0, 30.0, 60.0, 70.0], (5, 1))
    np.testing.assert_allclose(crop_boxes(faces, 0.2), np.tile([12.0, 26.0, 68.0, 82.0], (5, 1)))


@given(st.integers(0, 2**32), st.integers(1, 11))
def test_a_box_knows_nothing_of_later_frames(seed, frame):
    faces = walk(seed)
    other = np.concatenate([faces[:frame], walk(seed + 1)[frame:]])
    np.testing.assert_array_equal(crop_boxes(faces, 0.2)[:frame], crop_boxes(other, 0.2)[:frame])


def test_cut_of_the_same_size_is_a_slice():
    frames = np.random.default_rng(0).integers(0, 256, (3, 90, 80, 3), dtype=np.uint8)
    boxes = np.tile([10.0, 20.0, 42.0, 52.0], (3, 1))
    np.testing.assert_array_equal(cut(frames, boxes, 32), frames[:, 20:52, 10:42])


def test_cut_past_the_border_repeats_the_border():
    frames = np.random.default_rng(0).integers(0, 256, (1, 40, 40, 3), dtype=np.uint8)
    crop = cut(frames, np.array([[-8.0, 0.0, 24.0, 32.0]]), 32)[0]
    np.testing.assert_array_equal(crop[:, :8], np.repeat(frames[0, :32, :1], 8, axis=1))


def test_half_a_pixel_is_honoured():
    ramp = np.tile(np.arange(40, dtype=np.uint8)[:, None] * 4, (1, 40, 1, 3))
    crop = cut(ramp, np.array([[4.5, 4.0, 20.5, 20.0]]), 16)[0]
    np.testing.assert_array_equal(crop[0, :, 0], np.arange(16) * 4 + 18)
