import numpy as np
import pytest

from pipeline.evaluation.detection import alarm

LABELS = ("FD1", "FD2-L", "neutral", "talking")
TRUTH = np.array([0, 1, 2, 3] * 5)
PEOPLE = [f"p{number // 4}" for number in range(20)]


def test_any_display_counts_as_the_alarm():
    table = np.zeros((20, 4))
    table[TRUTH < 2] = [0.4, 0.4, 0.1, 0.1]  # which display it is does not matter
    table[TRUTH >= 2] = [0.2, 0.1, 0.3, 0.4]
    found = alarm(TRUTH, table, PEOPLE, LABELS, 50, 0)
    assert found == {"auc": 1.0, "auc_ci95": [1.0, 1.0], "n_display": 10, "n_other": 10}


def test_a_model_that_knows_nothing_is_at_one_half():
    table = np.random.default_rng(0).dirichlet(np.ones(4), 400)
    people = [f"p{number // 20}" for number in range(400)]
    found = alarm(np.tile(TRUTH, 20), table, people, LABELS, 200, 0)
    low, high = found["auc_ci95"]
    assert low < 0.5 < high
    assert found["auc"] == pytest.approx(0.5, abs=0.1)


def test_displays_alone_raise_no_question():
    assert alarm(np.array([0, 1]), np.eye(2), ["a", "b"], ("FD1", "FD2-L"), 50, 0) is None
