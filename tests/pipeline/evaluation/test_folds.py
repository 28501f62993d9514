import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.evaluation.folds import cross_validate, draw
from pipeline.params import parse_params
from pipeline.training.train import read_samples


def test_every_clip_is_answered_for_once(line):
    params = parse_params({"train": {"hidden": 4, "epochs": 2}, "evaluate": {"bootstrap": 100}})
    said = []
    table = line.split / "clean.jsonl"
    figures = cross_validate(table, line.inputs.faces, params, 2, 1, said.append)
    clips = {sample.clip_id for sample in read_samples(table)}
    assert figures["n_test"] == len(clips) == sum(row["n_test"] for row in figures["folds"])
    low, high = figures["accuracy_ci95"]
    assert low <= figures["accuracy"] <= high
    assert sum(row["n"] for row in figures["by_kind"].values()) == len(clips)
    assert len(said) == 2


@given(folds=st.integers(2, 5), seed=st.integers(0, 2**62))
def test_no_group_stands_on_both_sides_of_a_fold(line, folds, seed):
    samples = read_samples(line.split / "clean.jsonl")
    tables = draw(samples, folds, seed)
    for table in tables:
        sides = {side: {s.group for s in table if s.side == side} for side in ("train", "test")}
        assert not sides["train"] & sides["test"]
    tested = [s.sample_id for table in tables for s in table if s.side == "test"]
    assert sorted(tested) == sorted(sample.sample_id for sample in samples)


def test_more_folds_than_groups_is_one_sentence(line):
    with pytest.raises(StageError, match="too few for 99 folds"):
        draw(read_samples(line.split / "clean.jsonl"), 99, 0)
