"""Hulls and relative motion hold for any points."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull

from fomm.errors import MotionError
from fomm.geometry import inverse
from fomm.keypoints import KeyPoints, hull_area, relative_motion

seeds = st.integers(0, 2**32 - 1)


def some_points(seed, count=1):
    rng = np.random.default_rng(seed)
    value = torch.tensor(rng.uniform(-0.7, 0.7, (count, 10, 2)), dtype=torch.float32)
    frame = torch.eye(2) + torch.tensor(rng.uniform(-0.2, 0.2, (count, 10, 2, 2))).float()
    return KeyPoints(value, frame)


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_hull_area_is_qhulls(seed):
    points = np.random.default_rng(seed).normal(size=(10, 2))
    assert hull_area(points) == pytest.approx(ConvexHull(points).volume, rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(arrays(np.int64, (10, 2), elements=st.integers(-2, 2)))
def test_hull_area_of_repeated_points_is_within_their_box(points):
    sides = np.ptp(points, axis=0)
    assert 0 <= hull_area(points) <= sides.prod()


@settings(max_examples=25, deadline=None)
@given(seeds, seeds)
def test_standing_still_changes_nothing(one, other):
    source, initial = some_points(one), some_points(other)
    found = relative_motion(source, initial, initial)
    torch.testing.assert_close(found.value, source.value, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.jacobian, source.jacobian, atol=1e-5, rtol=0)


@settings(max_examples=25, deadline=None)
@given(seeds, seeds)
def test_own_motion_is_taken_over_whole(one, other):
    own, driving = some_points(one), some_points(other, 3)
    found = relative_motion(own, own, driving)
    torch.testing.assert_close(found.value, driving.value, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.jacobian, driving.jacobian, atol=1e-4, rtol=0)


def test_a_face_twice_as_large_moves_twice_as_far():
    small, moved = some_points(1), some_points(2)
    large = KeyPoints(2 * small.value, small.jacobian)
    found = relative_motion(large, small, moved)
    expected = large.value + 2 * (moved.value - small.value)
    torch.testing.assert_close(found.value, expected, atol=1e-6, rtol=0)


def test_points_in_one_place_are_refused():
    flat = KeyPoints(torch.zeros(1, 10, 2), torch.eye(2).expand(1, 10, 2, 2))
    with pytest.raises(MotionError, match="source fall together"):
        relative_motion(flat, some_points(1), some_points(1))


def test_inverse_is_linear_algebras():
    frame = some_points(3).jacobian
    torch.testing.assert_close(inverse(frame), torch.linalg.inv(frame))
