import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ClipError
from pipeline.motion.reference import choose_reference, shape_distance

NEUTRAL = np.random.default_rng(0).normal(size=(10, 2))
OTHER = NEUTRAL + np.random.default_rng(1).normal(scale=0.05, size=(10, 2))  # another person
APEX = np.random.default_rng(2).normal(scale=0.4, size=(10, 2))  # what a display does to a shape


@given(
    scale=st.floats(0.1, 10), x=st.floats(-50, 50), y=st.floats(-50, 50), seed=st.integers(0, 99)
)
def test_place_and_size_do_not_count(scale, x, y, seed):
    clip = np.random.default_rng(seed).normal(size=(3, 10, 2))
    moved = clip * scale + np.array([x, y])
    assert shape_distance(NEUTRAL, moved) == pytest.approx(shape_distance(NEUTRAL, clip), rel=1e-6)


def test_a_clip_that_starts_neutral_starts_there():
    clip = OTHER + np.array([0, 0.5, 1, 0.2])[:, None, None] * APEX
    chosen = choose_reference(NEUTRAL, clip)
    assert chosen.frame == 0
    assert "is neutral" in chosen.because


def test_a_clip_that_starts_at_its_apex_starts_later():
    clip = OTHER + np.array([1, 0.5, 0, 0.2])[:, None, None] * APEX
    chosen = choose_reference(NEUTRAL, clip)
    assert chosen.frame == 2
    assert "frame 0 is not neutral: frame 2" in chosen.because


def test_points_that_fall_together_are_refused():
    with pytest.raises(ClipError, match="fall together"):
        choose_reference(NEUTRAL, np.zeros((2, 10, 2)))
