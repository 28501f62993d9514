"""Networks of single pictures: their published sizes, and what they look at."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional

from models import Classifier, ModelError, build, check, export_onnx

PICTURES = ("minixception", "mobilenetv2", "lightcnn", "normcnn")


def numbers(network):
    """Weights and the means and variances of batch normalisation, as Keras counts parameters."""
    floats = [b for b in network.buffers() if b.is_floating_point()]
    return sum(x.numel() for x in (*network.parameters(), *floats))


@pytest.mark.parametrize(("classes", "count"), [(4, 54_964), (7, 58_423)])
def test_mini_xception_has_the_published_number_of_parameters(classes, count):
    assert numbers(build("minixception", classes=classes, channels=1, size=64, frames=1)) == count


def test_mobilenet_has_the_published_number_of_weights():
    whole = {"width": 1.0}
    network = build("mobilenetv2", classes=1000, channels=3, size=64, frames=1, parameters=whole)
    assert sum(p.numel() for p in network.parameters()) == 3_504_872


@pytest.mark.parametrize("name", PICTURES)
def test_only_the_middle_frame_is_looked_at(name):
    network = build(name, classes=3, channels=1, size=32, frames=3).eval()
    windows = torch.rand(2, 3, 1, 32, 32)
    others = windows.clone()
    others[:, [0, 2]] = 0
    with torch.no_grad():
        assert torch.equal(network(windows), network(others))


@pytest.mark.parametrize("side", [15, 30])
def test_pooling_pads_as_keras_does(side):
    maps = torch.rand(1, 1, side, side)
    total = (-(-side // 2) - 1) * 2 + 3 - side
    before, after = total // 2, total - total // 2
    padded = functional.pad(maps, (before, after, before, after), value=-torch.inf)
    ours = functional.max_pool2d(maps, 3, stride=2, padding=side % 2, ceil_mode=True)
    assert torch.equal(ours, functional.max_pool2d(padded, 3, stride=2))


def test_the_papers_penalty_is_in_the_slope():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        bare = build("minixception", classes=2, channels=1, size=16, frames=1,
                     parameters={"l2": 0.0})  # fmt: skip
        held = build("minixception", classes=2, channels=1, size=16, frames=1)
        held.load_state_dict(bare.state_dict())
        windows = torch.rand(4, 1, 1, 16, 16)
    for network in (bare, held):
        network(windows).square().sum().backward()
    one, other = bare.stem[0].weight, held.stem[0].weight
    assert torch.allclose(other.grad - one.grad, 0.02 * one.detach(), atol=1e-5)
    assert torch.allclose(held.classify.weight.grad, bare.classify.weight.grad, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [("minixception", {"l2": -1}, "'l2' must be a number from 0 on, got -1"),
     ("mobilenetv2", {"width": 2.0}, "'width' must be from 0.1 to 1.4, got 2.0"),
     ("mobilenetv2", {"width": "1"}, "'width' must be a number, got '1'"),
     ("lightcnn", {"hidden": 0}, "'hidden' must be a whole number from 1 on, got 0"),
     ("normcnn", {"dropout": 1}, "'dropout' must be a number from 0 to below 1, got 1")],
)  # fmt: skip
def test_a_wrong_parameter_is_refused(name, parameters, told):
    with pytest.raises(ModelError, match=told):
        check(name, parameters)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_onnx_file_answers_as_torch_does(tmp_path, name, channels):
    network = build(name, classes=4, channels=channels, size=64, frames=1).eval()
    classifier = Classifier(name, network, ("a", "b", "c", "d"), 1, temperature=1.7)
    export_onnx(classifier, tmp_path / "model.onnx")
    shape = (3, 1, 64, 64) if channels == 1 else (3, 1, 64, 64, 3)
    windows = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {"windows": windows})
    assert np.abs(found - classifier.probabilities(windows)).max() < 1e-5
    if name == "minixception":
        assert (tmp_path / "model.onnx").stat().st_size < 1_000_000
