import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import save_file

from models import MODELS, Classifier, ModelError, build, load, to_grey, to_tensor, window_sizes

LABELS = ("calm", "FD1", "FD2-L")


def classifier(name="convlstm", channels=1):
    with torch.random.fork_rng(devices=[]):  # the same weights whichever tests ran before
        torch.manual_seed(0)
        network = build(name, classes=3, channels=channels, size=16, frames=4)
    return Classifier(name, network, LABELS, window=4)


def windows(count=3, channels=1):
    shape = (count, 4, 16, 16) if channels == 1 else (count, 4, 16, 16, channels)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_comes_back_the_same(name, channels, tmp_path):
    saved, seen = classifier(name, channels), windows(channels=channels)
    saved.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert (loaded.name, loaded.labels, loaded.window) == (name, LABELS, 4)
    assert loaded.network.config == saved.network.config
    assert loaded.network.sizes == saved.network.sizes
    np.testing.assert_array_equal(loaded.probabilities(seen), saved.probabilities(seen))


def test_equal_models_are_equal_bytes(tmp_path):
    model = classifier()
    model.save(tmp_path / "a.safetensors")
    model.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_of_each_window_alone(name):
    model, many = classifier(name), windows(70)
    got = model.probabilities(many)
    assert got.shape == (70, 3)
    np.testing.assert_allclose(got.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(got[65:66], model.probabilities(many[65:66]), atol=1e-6)


def test_temperature_changes_confidence_and_never_the_answer(tmp_path):
    model = classifier()
    warm = replace(model, temperature=3.0)
    warm.save(tmp_path / "model.safetensors")
    plain, tempered = (
        model.probabilities(windows(20)),
        load(tmp_path / "model.safetensors").probabilities(windows(20)),
    )
    assert (plain.argmax(1) == tempered.argmax(1)).all()
    assert (tempered.max(1) < plain.max(1)).all()


def test_no_windows_give_no_probabilities():
    assert classifier().probabilities(windows(0)).shape == (0, 3)


def test_the_single_frame_network_looks_at_the_middle_only():
    model, seen = classifier("framecnn"), windows()
    other = seen.copy()
    other[:, [0, 1, 3]] = 7
    np.testing.assert_array_equal(model.probabilities(seen), model.probabilities(other))


@given(arrays(np.uint8, (2, 3, 4, 3)))
def test_grey_lies_between_the_channels(frames):
    grey = to_grey(frames)
    assert grey.shape == (2, 3, 4)
    assert grey.dtype == np.uint8
    assert (frames.min(-1) <= grey).all()
    assert (grey <= frames.max(-1)).all()


@given(st.integers(0, 255))
def test_grey_keeps_greys(value):
    assert (to_grey(np.full((2, 2, 3), value, np.uint8)) == value).all()


def test_tensors_run_from_zero_to_one():
    tensor = to_tensor(np.array([[[[0, 255]]]], dtype=np.uint8))
    assert tensor.shape == (1, 1, 1, 1, 2)
    assert tensor.flatten().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8)])
def test_grey_wants_bytes_of_three_channels(wrong):
    with pytest.raises(ModelError, match="uint8 RGB"):
        to_grey(wrong)


@pytest.mark.parametrize("wrong", [np.zeros((2, 4, 16, 16)), np.zeros((4, 16, 16), np.uint8)])
def test_windows_want_bytes_of_windows(wrong):
    with pytest.raises(ModelError, match="uint8 grey"):
        to_tensor(wrong)


def test_colours_come_before_places():
    seen = windows(channels=3)
    tensor = to_tensor(seen)
    assert tensor.shape == (3, 4, 3, 16, 16)
    assert tensor[1, 2, 0, 5, 7] == seen[1, 2, 5, 7, 0] / np.float32(255)


def test_the_data_say_what_a_network_is_built_for():
    assert window_sizes(windows()) == {"channels": 1, "size": 16, "frames": 4}
    assert window_sizes(windows(channels=3)) == {"channels": 3, "size": 16, "frames": 4}


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"no model file .*gone\.safetensors"):
        load(tmp_path / "gone.safetensors")


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not a model at all")
    with pytest.raises(ModelError, match="is not a safetensors file"):
        load(path)


def test_foreign_weights_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="no Pallor classifier"):
        load(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"format": 1}, "format 1"), ({"labels": None}, "do not fit"),
     ({"config": {"size": 16}}, "does not say the network's 'classes'"),
     ({"config": {"classes": 3, "size": 16, "stemm": 4}}, "the nearest is 'stem'")],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused(change, reason, tmp_path):
    path = tmp_path / "model.safetensors"
    config = {"classes": 3, "size": 16, "stem": 4, "hidden": 4}
    about = {"format": 2, "model": "convlstm", "config": config, "labels": ["a"], "window": 4,
             "temperature": 1.0}  # fmt: skip
    save_file({"w": torch.zeros(2)}, path, {"pallor": json.dumps(about | change)})
    with pytest.raises(ModelError, match=reason):
        load(path)
