import ctypes
import subprocess

import pytest
import torch

from models import ConvLSTM, tiles, winograd

compiled = pytest.mark.skipif(bool(tiles.reason()), reason=tiles.reason())


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [("shutil.which", lambda name: None, "no C compiler"),
     ("models.tiles.library", lambda: subprocess.run(["false"], check=True), "compiler failed")],
)  # fmt: skip
def test_why_not(attribute, value, told, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/cc")
    monkeypatch.setattr(attribute, value)
    assert told in tiles.reason.__wrapped__()


def test_without_a_compiler_the_layer_learns_directly(monkeypatch):
    monkeypatch.setattr(tiles, "reason", lambda: "there is no C compiler (cc)")
    monkeypatch.setattr(winograd, "hidden_states", None)
    layer = ConvLSTM(1, 8)
    layer(torch.rand(1, 2, 1, 32, 32)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


@compiled
def test_values_spread_back_are_the_gradient_of_values():
    """<see(x), y> = <x, see_back(y)> for every x and y: the two are transposed."""
    torch.manual_seed(1)
    across, down, inner, width = 3, 2, 11, 16
    shape = tiles.Shape(across, 4 * across + 2, width, 8, inner, 6 * inner + tiles.LINE)
    picture = torch.zeros(4 * down + 2, 4 * across + 2, width)
    picture[..., :inner] = torch.randn(*picture.shape[:2], inner)
    values = torch.zeros(36 * shape.plane)
    spread, upward = torch.zeros_like(picture), torch.randn(36 * 6 * inner + tiles.LINE)
    library, at = tiles.library(), tiles.at
    library.see(ctypes.byref(shape), at(picture), at(values), 0, 6)
    library.see_back(ctypes.byref(shape), at(upward), at(spread), 0, 6)
    seen = values.view(36, -1)[:, : 6 * inner]
    one = (seen.double() * upward[: seen.numel()].view_as(seen)).sum()
    other = (picture[..., :inner].double() * spread[..., :inner]).sum()
    torch.testing.assert_close(one, other, atol=1e-2, rtol=1e-4)


@compiled
def test_gates_that_saturate_stay_numbers():
    layer = ConvLSTM(1, 8)
    frames = 1e6 * torch.randn(1, 3, 1, 32, 32)
    states = layer(frames)
    states.sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(states.detach(), layer(frames), atol=2e-3, rtol=0)
    assert layer.weight.grad.isfinite().all()
