import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.conformal import NEVER, Doubt, crossed, group_quantile


def drawn(rng, groups, clips=4):
    """Scores whose groups differ: a shift of its own for each."""
    shift = rng.normal(0, 1, groups).repeat(clips)
    scores = 1 / (1 + np.exp(-(shift + rng.normal(0, 0.5, groups * clips))))
    return scores, np.arange(groups).repeat(clips).astype(str).tolist()


def test_a_new_groups_clips_stay_below_as_promised():
    rng, covered = np.random.default_rng(0), []
    for _ in range(400):
        scores, groups = drawn(rng, 21)
        limit = group_quantile(scores[:80], groups[:80], 0.1)
        covered.append((scores[80:] <= limit).mean())
    assert 0.9 - 0.03 <= np.mean(covered) <= 0.97


def test_too_few_groups_promise_nothing():
    scores, groups = drawn(np.random.default_rng(1), 8)
    assert group_quantile(scores, groups, 0.1) == NEVER
    doubt = Doubt.fitted(np.zeros(32, int), np.full((32, 2), 0.5), groups)
    assert doubt.sets(np.array([[0.0, 1.0]])).all()
    assert not doubt.unknown(np.array([[0.5, 0.5]])).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6))
def test_copies_of_one_groups_clips_move_nothing(times):
    scores, groups = drawn(np.random.default_rng(2), 20)
    more = np.concatenate([scores, np.tile(scores[:4], times)])
    assert group_quantile(scores, groups, 0.2) == group_quantile(
        more, [*groups, *["0"] * 4 * times], 0.2
    )


def test_an_answer_that_is_no_surer_than_a_coin_is_unknown():
    rng = np.random.default_rng(3)
    sure = rng.uniform(0.8, 1, 120)
    shares = np.stack([sure, 1 - sure], axis=1)
    groups = np.arange(30).repeat(4).astype(str).tolist()
    doubt = Doubt.fitted(np.zeros(120, int), shares, groups)
    assert doubt.unknown(np.array([[0.5, 0.5], [0.95, 0.05]])).tolist() == [True, False]
    assert Doubt.read(doubt.row()) == doubt
    found = crossed(np.zeros(120, int), shares, groups, np.arange(120) // 24)
    assert found["covered"].mean() == pytest.approx(0.9, abs=0.08)
    assert found["unknown"].mean() < 0.2
