import pytest
import torch

from models import ModelError, build

STILLS = ("resnet34", "vgg16", "inception1")


def network(name, size=48, **parameters):
    torch.manual_seed(5)
    parameters = {"width": 8, **parameters}
    return build(name, classes=3, channels=2, size=size, frames=4, parameters=parameters)


@pytest.mark.parametrize("name", STILLS)
def test_the_middle_frame_alone_is_looked_at(name):
    model, windows = network(name).eval(), torch.rand(2, 4, 2, 48, 48)
    other = torch.rand_like(windows)
    other[:, 2] = windows[:, 2]
    torch.testing.assert_close(model(windows), model(other))
    torch.testing.assert_close(model(windows), model(windows[:, 2:3]))
    assert not torch.allclose(model(windows), model(windows.roll(1, 1)))


@pytest.mark.parametrize("name", STILLS)
def test_it_learns_what_one_place_shows(name):
    torch.manual_seed(1)
    model = network(name, dropout=0.0).train()
    windows = 0.2 * torch.rand(24, 1, 2, 48, 48)
    targets = torch.arange(24) % 3
    for window, target in zip(windows, targets, strict=True):
        window[:, 0, 14 * int(target) : 14 * int(target) + 12, 18:30] += 0.6
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(25):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(windows), targets)
        loss.backward()
        optimiser.step()
    assert loss < 0.2


@pytest.mark.parametrize("name", STILLS)
@pytest.mark.parametrize("size", [16, 80, 240])
def test_any_size_ends_in_its_classes(name, size):
    with torch.no_grad():
        assert network(name, size).eval()(torch.rand(1, 2, 2, size, size)).shape == (1, 3)


def test_a_lone_small_picture_is_refused_in_training_only():
    model, window = network("resnet34", 32), torch.rand(1, 1, 2, 32, 32)
    with pytest.raises(ModelError, match="one picture of 32 px alone cannot be normalised"):
        model.train()(window)
    assert model.eval()(window).shape == (1, 3)
