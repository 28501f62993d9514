import numpy as np
import pytest

from pipeline.evaluation.dose import BINS, dose_response

CHANCE = (200, 3)


def drawn(slope, count=200, seed=1):
    """Units whose positive score rises with their dose by `slope` standard deviations at dose 1."""
    rng = np.random.default_rng(seed)
    truth = np.arange(2 * count) % 2 == 1
    dose = np.where(truth, rng.random(2 * count), 0.0)
    return dose, truth, slope * dose + rng.normal(0, 1, 2 * count)


def asked(slope, **more):
    dose, truth, score = drawn(slope, **more)
    people = [f"p{n // 2}" for n in range(len(dose))]
    return dose_response(dose, truth, score, people, CHANCE)


def test_the_curve_rises_where_the_score_follows_the_dose():
    found = asked(4.0)
    areas = [row["auc"] for row in found["bins"]]
    assert len(areas) == BINS
    assert areas == sorted(areas)
    assert found["spearman"] == pytest.approx(1)
    assert all(row["auc_ci95"][0] <= row["auc"] <= row["auc_ci95"][1] for row in found["bins"])
    assert sum(row["n"] for row in found["bins"]) == 200


def test_the_smallest_dose_told_apart_is_where_theory_puts_it():
    # area = Phi(slope dose / sqrt 2) = 0.8 at slope dose = 0.842 sqrt 2
    found = asked(4.0, count=2000)["smallest"]
    assert found["dose"] == pytest.approx(0.298, abs=0.04)
    assert found["ci95"][0] <= found["dose"] <= found["ci95"][1]


def test_where_nothing_is_told_there_is_no_smallest_dose():
    found = asked(0.0)["smallest"]
    assert found["dose"] is None
    assert found["ci95"][1] is None


def test_few_positive_people_make_few_bins_and_one_kind_none():
    dose, truth, score = drawn(3.0, count=4)
    people = [str(n) for n in range(8)]
    assert len(dose_response(dose, truth, score, people, CHANCE)["bins"]) == 1
    assert dose_response(dose, np.ones(8, bool), score, people, CHANCE) is None
