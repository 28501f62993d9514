import pytest

from pipeline.errors import StageError
from pipeline.evaluation.folds import cross_validate
from pipeline.params import EvaluateParams, TrainParams
from pipeline.splits.tables import read_tracks


def folded(line, folds, say=print):
    quick = {"train": TrainParams(epochs=2), "evaluate": EvaluateParams(bootstrap=100)}
    params = line.params.model_copy(update=quick)
    return cross_validate(line.workspace, line.study, params, folds, 1, say)


def test_every_clip_is_answered_for_once(line):
    said = []
    figures = folded(line, 2, said.append)
    clips = {track.clip_id for track in read_tracks(line.workspace.faces)}
    assert figures["n_test"] == len(clips) == sum(row["n_test"] for row in figures["folds"])
    low, high = figures["accuracy_ci95"]
    assert low <= figures["accuracy"] <= high
    assert sum(row["n"] for row in figures["by_kind"].values()) == len(clips)
    assert len(said) == 2


def test_more_folds_than_groups_is_one_sentence(line):
    with pytest.raises(StageError, match="too few for 99 folds"):
        folded(line, 99)
