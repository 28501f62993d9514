import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.evaluation.metrics import bootstrap_accuracy, mean_by, roc, scores

LABELS = ("a", "b", "c")


def one_hot(predicted):
    return np.eye(3)[predicted] * 0.8 + 0.2 / 3


def figures(truth, predicted, people=None):
    people = people or [f"p{n}" for n in range(len(truth))]
    return scores(np.array(truth), one_hot(predicted), people, LABELS, (200, 1))


def test_figures_of_a_known_table():
    got = figures([0, 0, 1, 1, 2, 2], [0, 0, 1, 0, 2, 1])
    assert got["accuracy"] == pytest.approx(4 / 6, abs=1e-6)
    assert got["precision"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3, abs=1e-6)
    assert got["recall"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3, abs=1e-6)
    assert got["f1"] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3, abs=1e-6)
    assert got["weighted_f1"] == got["f1"]  # two of each class
    assert got["confusion"]["matrix"] == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert got["per_class"]["a"]["support"] == 2
    assert (got["n_test"], got["n_people"]) == (6, 6)


def test_weighted_f1_counts_a_class_as_often_as_it_is_there():
    got = figures([0, 0, 0, 1], [0, 0, 1, 1])
    assert got["weighted_f1"] == pytest.approx((3 * 4 / 5 + 2 / 3) / 4, abs=1e-6)
    assert got["f1"] == pytest.approx((4 / 5 + 2 / 3) / 2, abs=1e-6)


def test_a_perfect_table_has_full_marks():
    got = figures([0, 1, 2, 1], [0, 1, 2, 1])
    names = ("accuracy", "precision", "recall", "f1", "auc")
    assert [got[name] for name in names] == [1.0] * 5
    assert got["accuracy_ci95"] == [1.0, 1.0]


def test_the_area_of_a_coin_is_one_half():
    rng = np.random.default_rng(0)
    truth, table = rng.integers(0, 3, 6000), rng.dirichlet(np.ones(3), 6000)
    got = scores(truth, table, ["p"] * 6000, LABELS, (100, 1))
    assert got["auc"] == pytest.approx(0.5, abs=0.02)


def test_a_class_nobody_performed_has_no_area():
    got = figures([0, 1, 0], [0, 1, 1])
    assert got["per_class"]["c"]["auc"] is None
    assert got["auc"] is not None


def test_an_empty_test_side_is_refused():
    with pytest.raises(StageError, match="test side is empty"):
        scores(np.array([], int), np.empty((0, 3)), [], LABELS, (100, 1))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefg")), min_size=1, max_size=40))
def test_the_interval_lies_between_the_worst_and_the_best_person(units):
    right = np.array([ok for ok, _ in units])
    people = [name for _, name in units]
    shares = [right[[p == name for p in people]].mean() for name in set(people)]
    low, high = bootstrap_accuracy(right, people, 200, 1)
    assert min(shares) - 1e-6 <= low <= high <= max(shares) + 1e-6


def test_units_of_one_person_count_once():
    right = np.array([1, 1, 1, 0] * 50)
    alone = bootstrap_accuracy(right, [f"p{n}" for n in range(200)], 1000, 1)
    shared = bootstrap_accuracy(right, [f"p{n % 4}" for n in range(200)], 1000, 1)
    assert shared[1] - shared[0] > 2 * (alone[1] - alone[0])


def test_the_interval_is_seeded():
    right, people = np.arange(30) % 3 > 0, [f"p{n % 9}" for n in range(30)]
    assert bootstrap_accuracy(right, people, 200, 1) == bootstrap_accuracy(right, people, 200, 1)


def test_means_join_the_units_of_a_key():
    table = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    names, truth, mean = mean_by(["y", "x", "y"], np.array([0, 1, 0]), table)
    assert names == ["x", "y"]
    assert truth.tolist() == [1, 0]
    np.testing.assert_allclose(mean, [[0.2, 0.8], [0.7, 0.3]])


def test_a_perfect_score_rises_at_once():
    false, true = roc(np.array([True, False]), np.array([0.9, 0.1]))
    assert (true[false == 0]).max() == 1
