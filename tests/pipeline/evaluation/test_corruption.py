import numpy as np
import pytest

from pipeline.errors import StageError
from pipeline.evaluation.corruption import CORRUPTIONS, STRENGTHS, corrupted


def windows():
    return np.random.default_rng(0).integers(0, 256, (3, 8, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("name", STRENGTHS)
def test_a_stronger_corruption_changes_more(name):
    mild, strong = (
        np.abs(
            corrupted(windows(), name, s, np.random.default_rng(1)) - windows().astype(float)
        ).mean()
        for s in STRENGTHS[name][1]
    )
    assert 0 < mild < strong


@pytest.mark.parametrize("name", STRENGTHS)
def test_the_same_draw_gives_the_same_corruption_and_leaves_the_original(name):
    given = windows()
    one, other = (
        corrupted(given, name, STRENGTHS[name][1][0], np.random.default_rng(4)) for _ in "ab"
    )
    assert (one.shape, one.dtype) == (given.shape, given.dtype)
    assert np.array_equal(one, other)
    assert np.array_equal(given, windows())


def test_every_corruption_has_strengths():
    assert list(CORRUPTIONS) == list(STRENGTHS)


def test_a_slow_camera_repeats_frames():
    slow = corrupted(windows(), "frame_rate", 4, np.random.default_rng(0))
    assert np.array_equal(slow[:, 0], slow[:, 3])
    assert np.array_equal(slow[:, 4], windows()[:, 4])


def test_an_occlusion_covers_its_share_in_every_frame():
    covered = (corrupted(windows(), "occlusion", 0.5, np.random.default_rng(0)) == 128).all(axis=1)
    assert covered.sum(axis=(1, 2)).tolist() == [256] * 3


@pytest.mark.parametrize("name", STRENGTHS)
def test_colour_is_corrupted_as_grey_is(name):
    colour = np.repeat(windows()[..., None], 3, axis=-1)
    strength = STRENGTHS[name][1][1]
    grey, rgb = (
        corrupted(given, name, strength, np.random.default_rng(3)) for given in (windows(), colour)
    )
    assert rgb.shape == colour.shape
    if name != "noise":  # which each channel has of its own
        assert np.array_equal(rgb[..., 1], grey)


def test_an_unknown_corruption_is_named():
    with pytest.raises(StageError, match="no corruption 'rain'; known: blur"):
        corrupted(windows(), "rain", 1, np.random.default_rng(0))
