import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.threshold import best_threshold, shifted

SCORES = st.lists(st.floats(0.001, 0.999), min_size=4, max_size=30)


def test_the_threshold_parts_what_can_be_parted():
    truth, score = np.array([0, 0, 0, 1, 1]) == 1, np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    assert best_threshold(truth, score) == pytest.approx(0.35)


def test_one_kind_alone_has_no_threshold_of_its_own():
    assert best_threshold(np.ones(3, bool), np.array([0.1, 0.2, 0.3])) == 0.5


@given(score=SCORES, seed=st.integers(0, 99))
def test_no_other_threshold_is_better(score, seed):
    scores = np.round(score, 6)
    truth = np.random.default_rng(seed).random(len(scores)) < 0.5
    if truth.all() or not truth.any():
        return

    def youden(limit):
        said = scores >= limit
        return said[truth].mean() + (~said)[~truth].mean()

    best = youden(best_threshold(truth, scores))
    assert all(youden(limit) <= best + 1e-9 for limit in np.linspace(0, 1, 101))


@given(share=st.floats(0.001, 0.999), limit=st.floats(0.01, 0.99))
def test_shifting_calls_positive_from_the_threshold_on(share, limit):
    made = shifted(np.array([[1 - share, share]]), limit)
    assert made.sum() == pytest.approx(1)
    if abs(share - limit) > 1e-6:
        assert (made[0, 1] > 0.5) == (share > limit)


def test_one_half_leaves_every_bit():
    table = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    assert shifted(table, 0.5) is table
