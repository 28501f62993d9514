import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from pipeline.errors import StageError
from pipeline.evaluation.strength import compared, holm, placebo

EMOTIONS = {"anger": ("4", "7"), "happiness": ("6", "12")}


def people(count, weaker=0.0, seed=0, name="p"):
    """Measured strengths of people; in the first emotion `weaker` standard deviations less."""
    rng, table = np.random.default_rng(seed), {}
    for number in range(count):
        row = {}
        for emotion, units in EMOTIONS.items():
            values = rng.normal(-weaker if emotion == "anger" else 0, 1, len(units))
            row |= {(emotion, unit): float(v) for unit, v in zip(units, values, strict=True)}
            row[emotion, ""] = float(values.mean())
        table[f"{name}{number}"] = row
    return table


def test_a_planted_weakness_is_found_and_nothing_else():
    ill, well = people(50, 0.9, 1, "i"), people(50, 0.0, 2, "w")
    rows = compared(ill | well, list(ill), list(well))
    assert rows["anger"]["p_holm"] < 0.05
    assert rows["anger"]["effect"] < -0.3
    assert rows["happiness"]["p_holm"] > 0.05
    assert {unit: part["p_bh"] < 0.05 for unit, part in rows["anger"]["units"].items()} == {
        "4": True,
        "7": True,
    }
    assert rows["anger"]["p_holm"] >= rows["anger"]["p"]


def test_a_placebo_finds_nothing_in_nineteen_of_twenty_draws():
    table = people(60, seed=3)
    found = placebo(table, list(table), 20, 0)
    assert found["draws"] == 20
    assert found["quiet"] >= 19


def test_the_placebo_would_notice_two_kinds_of_people():
    ill, well = people(40, 4.0, 1, "i"), people(40, 0.0, 2, "w")
    mixed = [p for pair in zip(ill, well, strict=True) for p in pair]
    assert compared(ill | well, mixed[::2], mixed[1::2])["anger"]["p_holm"] < 0.001


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_is_between_none_and_bonferroni(values):
    corrected = holm(values)
    assert (corrected >= np.array(values) - 1e-12).all()
    assert (corrected <= np.minimum(len(values) * np.array(values), 1) + 1e-12).all()
    assert (np.argsort(corrected, kind="stable") == np.argsort(values, kind="stable")).all() or len(
        set(corrected)
    ) < len(corrected)
    if all(value > 0 for value in values):
        assert (corrected >= false_discovery_control(values) - 1e-12).all()


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def test_too_few_people_are_one_sentence():
    table = people(4)
    with pytest.raises(StageError, match="too few people perform anger"):
        compared(table, list(table)[:2], list(table)[2:])
