"""Parameters of the line, with what a study or a model sets otherwise."""

import pytest

from pipeline.errors import ParamsError
from pipeline.params import Params, TrainParams, load_params, merged


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 3\ntrain: {epochs: 5, batch: 8}\n")
    return path


def test_a_study_overrides_the_file_key_by_key(file):
    params = load_params(file, {"train": {"epochs": 2}, "plan": {"size": 64}})
    assert (params.seed, params.train.epochs, params.train.batch) == (3, 2, 8)
    assert (params.plan.size, params.plan.fps) == (64, Params().plan.fps)
    assert load_params(file).train.epochs == 5


def test_what_a_study_sets_wrongly_is_told_with_the_nearest_name(file):
    with pytest.raises(ParamsError, match=r"params of the study's file: .*epoch.*epochs"):
        load_params(file, {"train": {"epoch": 2}})


def test_a_wrong_file_is_blamed_though_a_study_would_mend_it(file):
    file.write_text("train: {epochs: 0}\n")
    with pytest.raises(ParamsError, match=r"params\.yaml: 'train\.epochs' is 0"):
        load_params(file, {"train": {"epochs": 2}})


@pytest.mark.parametrize("text", ["- a\n", "seed: [\n", "3\n"])
def test_a_file_that_holds_no_sections_is_one_sentence(file, text):
    file.write_text(text)
    with pytest.raises(ParamsError, match=r"params\.yaml (must hold sections|is not YAML)"):
        load_params(file)


def test_a_model_changes_its_own_training_alone():
    base = TrainParams(epochs=9)
    assert base.with_changes({"epochs": 2}) == TrainParams(epochs=2)
    assert base.with_changes({}) == base
    assert base.epochs == 9


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"epoch": 2}, "train of a model: .*epoch.*epochs"), ({"epochs": 0}, "train of a model: ")],
)
def test_what_a_model_sets_wrongly_is_refused(changes, said):
    with pytest.raises(ParamsError, match=said):
        TrainParams().with_changes(changes)


def test_merging_leaves_both_as_they_were():
    one, other = {"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": 3}, "c": [1]}
    assert merged(one, other) == {"a": {"x": 1, "y": 3}, "b": 1, "c": [1]}
    assert one == {"a": {"x": 1, "y": 2}, "b": 1}
    assert merged({"a": {"x": 1}}, {"a": None}) == {"a": None}
