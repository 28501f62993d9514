import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models import MODELS, ConvLSTMConfig, ModelError, build, check

SIZES = {"classes": 3, "channels": 1, "size": 16, "frames": 4}


def test_parameters_left_out_take_their_defaults():
    assert check("convlstm") == ConvLSTMConfig()
    assert check("convlstm", {"hidden": 8}) == ConvLSTMConfig(hidden=8)


@pytest.mark.parametrize(
    ("name", "told"),
    [("swin", "no model 'swin'; known: convlstm, tutorial, framecnn, cnnlstm, cnn3d, "),
     ("convlst", "no model 'convlst'; the nearest is 'convlstm'")],
)  # fmt: skip
def test_an_unknown_model_is_refused(name, told):
    with pytest.raises(ModelError, match=told):
        check(name)
    with pytest.raises(ModelError, match=told):
        build(name, **SIZES)


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [("convlstm", {"hiden": 4}, "convlstm has no parameter 'hiden'; the nearest is 'hidden'"),
     ("cnn3d", {"peephole": True}, "cnn3d has no parameter 'peephole'; known: width, dropout"),
     ("framecnn", {"size": 64}, "framecnn: 'size' is no parameter; the study's data decide it"),
     ("convlstm", {"hidden": 6}, "convlstm: 'hidden' must be a multiple of 4 from 4 on, got 6"),
     ("convlstm", {"stem": "16"}, "'stem' must be a multiple of 4 from 4 on, got '16'"),
     ("convlstm", {"kernel": 4}, "a ConvLSTM kernel is odd"),
     ("convlstm", {"peephole": 1}, "'peephole' must be true or false, got 1"),
     ("cnnlstm", {"hidden": True}, "'hidden' must be a whole number from 1 on, got True"),
     ("cnnlstm", {"dropout": 1.0}, "'dropout' must be a number from 0 to below 1, got 1.0"),
     ("framecnn", {"width": 0}, "'width' must be a whole number from 1 on, got 0"),
     ("inception1", {"width": 12}, "'width' must be a multiple of 8 from 8 on, got 12"),
     ("vgg16", {"dense": 0}, "'dense' must be a whole number from 1 on, got 0")],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_without_building(name, parameters, told):
    with pytest.raises(ModelError, match=told):
        check(name, parameters)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [({"size": 40}, "multiple of 16, got 40"), ({"classes": 0}, "'classes'"),
     ({"channels": 0}, "'channels'"), ({"frames": 0}, "'frames'")],
)  # fmt: skip
def test_sizes_no_network_can_have_are_refused(sizes, told):
    with pytest.raises(ModelError, match=told):
        build("cnn3d", **SIZES | sizes)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=12, deadline=None)  # of 48 there are, for each of a dozen networks
@given(channels=st.integers(1, 4), classes=st.integers(1, 6), size=st.sampled_from([16, 32]))
def test_every_network_takes_the_datas_sizes(name, channels, classes, size):
    network = build(name, classes=classes, channels=channels, size=size, frames=3).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, channels, size, size)).shape == (2, classes)
    with pytest.raises(ModelError, match=rf"windows are \(N, T, {channels}, {size}, {size}\)"):
        network(torch.rand(2, 3, channels + 1, size, size))


@pytest.mark.parametrize("name", MODELS)
def test_every_network_learns_from_every_channel(name):
    network = build(name, **SIZES | {"channels": 3})
    windows = torch.rand(2, 4, 3, 16, 16, requires_grad=True)
    network(windows).square().sum().backward()
    assert (windows.grad.abs().sum((0, 1, 3, 4)) > 0).all()


PAPERS = {  # name > parameters as published, millions of weights at 1,000 classes, 224 px, RGB
    "resnet34": ({"width": 64}, 21.80),
    "vgg16": ({"width": 64, "dense": 4096}, 138.36),
    "inception1": ({"width": 64}, 7.01),  # the paper counts 6.8 by its rounded table
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_published_network_has_its_published_size(name):
    parameters, millions = PAPERS[name]
    with torch.device("meta"):  # shapes without numbers
        network = build(name, classes=1000, channels=3, size=224, frames=1, parameters=parameters)
        assert network(torch.rand(2, 1, 3, 224, 224)).shape == (2, 1000)
    size = sum(weights.numel() for weights in network.parameters())
    assert size / 1e6 == pytest.approx(millions, abs=0.005)


# A seed's initial weights, forward pass and gradient, as they were before networks had channels:
# sums in float64 that one changed draw, layer or order of layers would move.
BEFORE = {
    "convlstm": [2765.4213, 0.44980868, 190.03728],
    "framecnn": [785.09489, 0.76410338, 48.732181],
    "cnnlstm": [18198.671, 0.50343561, 108.72165],
    "cnn3d": [927.71563, 0.14720954, 22.265891],
    "minixception": [4073.6364, 0.071582517, 3.5494682],
    "mobilenetv2": [29302.833, 0.1341583, 1.877429],
    "lightcnn": [2829.4221, 0.57879043, 312.25349],
    "normcnn": [2639.4003, 0.19842962, 70.342028],
    "cnnbilstm": [35661.038, 0.48903715, 102.9211],
}


@pytest.mark.parametrize("name", BEFORE)
def test_a_seed_gives_the_network_it_always_gave(name):
    assert fingerprint(name) == pytest.approx(BEFORE[name], rel=1e-5)


def fingerprint(name):
    """Sums over initial weights, scores and gradients of one network, in float64 outside it."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        network = build(name, classes=5, channels=1, size=64, frames=8).eval()
        windows = torch.rand(2, 8, 1, 64, 64)
    weights = [p.double().flatten() for p in network.parameters()]
    scores = network(windows)
    scores.square().sum().backward()
    slopes = [p.grad.double().flatten() for p in network.parameters()]
    return [
        x.detach().abs().sum().item()
        for x in (torch.cat(weights), scores.double(), torch.cat(slopes))
    ]
