import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from pipeline.training.calibrate import COOLEST, fit_temperature, reliability, uncalibrated


def drawn(temperature, count=6000, seed=0):
    """Logits and the classes that their softmax at a temperature really has."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 4, (count, 4))
    shares = softmax(logits / temperature, axis=1).cumsum(1)
    return logits, (rng.random((count, 1)) > shares).sum(1).clip(0, 3)


@pytest.mark.parametrize("temperature", [0.8, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.08)


def test_without_an_error_the_bound_holds():
    logits = np.eye(3) * 5
    assert fit_temperature(logits, np.arange(3)) == pytest.approx(COOLEST, rel=1e-3)


def test_the_right_temperature_leaves_the_least_error():
    logits, truth = drawn(3.0)
    over, fit = (reliability(truth, softmax(logits / t, axis=1)) for t in (1.0, 3.0))
    assert fit["ece"] < 0.03 < over["ece"]
    assert sum(row["n"] for row in fit["bins"]) == len(truth)


@given(st.floats(0.5, 5), st.integers(0, 99))
def test_calibration_can_be_undone(temperature, seed):
    logits = np.random.default_rng(seed).normal(0, 2, (5, 3))
    back = uncalibrated(softmax(logits / temperature, axis=1), temperature)
    np.testing.assert_allclose(back, softmax(logits, axis=1), atol=1e-9)


def test_a_known_error():
    table = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    got = reliability(np.array([0, 1, 0, 0]), table)
    assert got["ece"] == pytest.approx((abs(0.5 - 0.9) + abs(1 - 0.6)) / 2)
