"""Figures and intervals of many draws at once, against one draw at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    precision_recall_fscore_support,
    recall_score,
    roc_auc_score,
)

from pipeline.evaluation.metrics import (
    FIGURES,
    areas_of,
    bootstrap_accuracy,
    ends_of,
    resampled,
    scores,
)

UNITS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), min_size=3, max_size=3),
        st.sampled_from("abcdef"),
    ),
    min_size=2,
    max_size=40,
)


def arrays(units):
    truth = np.array([t for t, _, _ in units])
    table = np.array([row for _, row, _ in units])
    return truth, table / table.sum(1, keepdims=True), [name for _, _, name in units]


def rows_of(counts):
    return np.repeat(np.arange(len(counts)), counts.astype(int))


@settings(max_examples=40)
@given(UNITS, st.integers(0, 2**62))
def test_areas_are_those_of_sklearn_with_ties_and_repeated_units(units, seed):
    truth, table, people = arrays(units)
    drawn = resampled(people, 20, seed)
    areas = areas_of(truth == 1, table[:, 1], drawn)
    for counts, area in zip(drawn, areas, strict=True):
        rows = rows_of(counts)
        if len(set(truth[rows] == 1)) == 2:
            assert area == pytest.approx(roc_auc_score(truth[rows] == 1, table[rows, 1]))
        else:
            assert np.isnan(area)


def one_by_one(truth, table, labels):
    """The figures of one draw, by sklearn alone."""
    said = table.argmax(1)
    macro = precision_recall_fscore_support(truth, said, average="macro", zero_division=0)[:3]
    areas = [
        roc_auc_score(truth == c, table[:, c])
        for c in range(len(labels))
        if 0 < (truth == c).sum() < len(truth)
    ]
    return [accuracy_score(truth, said), *macro, np.mean(areas) if areas else np.nan]


@settings(max_examples=25)
@given(UNITS, st.integers(0, 2**62))
def test_every_figure_and_its_interval_is_sklearns_over_the_draws(units, seed):
    truth, table, people = arrays(units)
    got = scores(truth, table, people, "abc", (20, seed))
    whole = dict(zip(FIGURES, one_by_one(truth, table, "abc"), strict=True))
    drawn = resampled(people, 20, seed)
    ends = np.array([one_by_one(truth[r], table[r], "abc") for r in map(rows_of, drawn)]).T
    for column, name in enumerate(FIGURES):
        if np.isnan(whole[name]):
            assert got[name] is None
        else:
            assert got[name] == pytest.approx(whole[name], abs=1.1e-6)
        assert got[f"{name}_ci95"] == pytest.approx(ends_of(ends[column]), abs=1.1e-6)


def test_two_classes_have_sensitivity_and_specificity():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 60)
    table = rng.dirichlet(np.ones(2), 60)
    people = [f"p{n % 9}" for n in range(60)]
    got = scores(truth, table, people, ("negative", "positive"), (100, 1))
    said = table.argmax(1)
    assert got["sensitivity"] == pytest.approx(recall_score(truth, said), abs=1e-6)
    assert got["specificity"] == pytest.approx(recall_score(truth, said, pos_label=0), abs=1e-6)
    for name in (*FIGURES, "sensitivity", "specificity"):
        low, high = got[f"{name}_ci95"]
        assert low <= got[name] <= high
    assert "sensitivity" not in scores(truth, table, people, ("a", "b"), (100, 1))


def old_bootstrap_accuracy(right, people, resamples, seed):
    """As it was before figures other than accuracy had intervals."""
    names, person = np.unique(np.asarray(people), return_inverse=True)
    units = np.bincount(person)
    correct = np.bincount(person, weights=right)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(names), size=(resamples, len(names)))
    accuracies = correct[drawn].sum(1) / units[drawn].sum(1)
    return [round(float(edge), 6) for edge in np.percentile(accuracies, [2.5, 97.5])]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefg")), min_size=1, max_size=40),
    st.integers(0, 2**62),
)
def test_the_interval_of_accuracy_is_what_it_was(units, seed):
    right = np.array([ok for ok, _ in units])
    people = [name for _, name in units]
    assert bootstrap_accuracy(right, people, 200, seed) == old_bootstrap_accuracy(
        right, people, 200, seed
    )
