import numpy as np
import pytest

from pipeline.evaluation.detection import detection

FINDING = np.array([True, True, False, False])  # of four classes
TRUTH = np.array([0, 1, 2, 3] * 5)
PEOPLE = [f"p{number // 4}" for number in range(20)]


def test_any_class_of_the_finding_counts():
    table = np.zeros((20, 4))
    table[TRUTH < 2] = [0.4, 0.4, 0.1, 0.1]  # which of them it is does not matter
    table[TRUTH >= 2] = [0.2, 0.1, 0.3, 0.4]
    found = detection(TRUTH, table, PEOPLE, FINDING, (50, 0))
    assert found == {"auc": 1.0, "auc_ci95": [1.0, 1.0], "n_finding": 10, "n_other": 10}


def test_a_model_that_knows_nothing_is_at_one_half():
    table = np.random.default_rng(0).dirichlet(np.ones(4), 400)
    people = [f"p{number // 20}" for number in range(400)]
    found = detection(np.tile(TRUTH, 20), table, people, FINDING, (200, 0))
    low, high = found["auc_ci95"]
    assert low < 0.5 < high
    assert found["auc"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("finding", [[True, True], [False, False]])
def test_classes_of_one_kind_alone_raise_no_question(finding):
    got = detection(np.array([0, 1]), np.eye(2), ["a", "b"], np.array(finding), (50, 0))
    assert got is None
