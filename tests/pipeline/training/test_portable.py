import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models import MODELS, Classifier, build, load
from pipeline.errors import AssetError
from pipeline.training.portable import write_onnx


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_onnx_runtime_gives_the_same_probabilities(name, channels, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build(name, classes=3, channels=channels, size=32, frames=4)
    model = Classifier(name, network, ("a", "b", "c"), 4, temperature=1.7)
    model.save(tmp_path / "model.safetensors")
    size = write_onnx(tmp_path / "model.safetensors", tmp_path / "model.onnx")
    windows = np.random.default_rng(0).integers(0, 256, (5, 4, 32, 32, channels), dtype=np.uint8)
    windows = windows[..., 0] if channels == 1 else windows
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    [got] = session.run(None, {"windows": windows})
    np.testing.assert_allclose(got, model.probabilities(windows), atol=1e-5)
    assert size == (tmp_path / "model.onnx").stat().st_size


def test_the_trained_model_is_small_and_names_its_classes(line, tmp_path):
    model = line.workspace.model("display", "convlstm", "clean")
    assert write_onnx(model, tmp_path / "clean.onnx") < 1_000_000
    [entry] = onnx.load(tmp_path / "clean.onnx").metadata_props
    about = json.loads(entry.value)
    assert about["labels"] == list(load(model).labels)
    assert about["notice"] == "Not a medical device."


def test_the_default_classifier_stays_below_a_megabyte(tmp_path):
    network = build("convlstm", classes=5, channels=1, size=64, frames=8)
    Classifier("convlstm", network, tuple("abcde"), 8).save(tmp_path / "m.safetensors")
    assert write_onnx(tmp_path / "m.safetensors", tmp_path / "m.onnx") < 1_000_000


def test_a_missing_model_is_one_sentence(tmp_path):
    with pytest.raises(AssetError, match="no model file"):
        write_onnx(tmp_path / "none.safetensors", tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
