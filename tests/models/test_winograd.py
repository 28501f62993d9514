import pytest
import torch

from models import ConvLSTM, ModelError, winograd


def learned(layer, frames, upward):
    """Hidden states, and the gradients of frames, weight and bias."""
    frames = frames.clone().requires_grad_()
    states = layer(frames)
    return states.detach(), *torch.autograd.grad(states, (frames, *layer.parameters()), upward)


@pytest.mark.parametrize(
    ("shape", "hidden"), [((2, 3, 1, 32, 32), 8), ((1, 4, 3, 36, 40), 16), ((1, 2, 9, 64, 64), 32)]
)
def test_states_and_gradients_are_those_of_the_direct_layer_in_float64(shape, hidden):
    torch.manual_seed(1)
    layer, frames = ConvLSTM(shape[2], hidden), torch.rand(shape)
    assert winograd.fits(frames, layer.weight)
    upward = torch.randn(*shape[:2], hidden, *shape[3:])
    tiled = learned(layer, frames, upward)
    direct = learned(layer.double(), frames.double(), upward.double())
    for ours, theirs in zip(tiled, direct, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_only_the_last_state_may_be_asked_for():
    torch.manual_seed(1)
    layer, frames = ConvLSTM(1, 8), torch.rand(2, 3, 1, 32, 32)
    layer(frames)[:, -1].mean().backward()
    found = layer.weight.grad.clone()
    layer.double().zero_grad()
    layer(frames.double())[:, -1].mean().backward()
    torch.testing.assert_close(found.double(), layer.weight.grad, atol=1e-7, rtol=1e-3)


def test_frames_that_ask_for_no_gradient_change_none_of_the_others():
    torch.manual_seed(1)
    layer, frames = ConvLSTM(2, 8), torch.rand(2, 3, 2, 32, 32)
    upward = torch.randn(2, 3, 8, 32, 32)
    _, _, *wanted = learned(layer, frames, upward)
    found = torch.autograd.grad(layer(frames), tuple(layer.parameters()), upward)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5 * theirs.abs().max().item(), rtol=0)


def test_a_gradient_that_is_not_a_number_is_passed_on():
    layer, upward = ConvLSTM(1, 8), torch.zeros(1, 2, 8, 32, 32)
    upward[0, 0, 0, 5, 5] = torch.nan
    found = torch.autograd.grad(layer(torch.rand(1, 2, 1, 32, 32)), layer.bias, upward)[0]
    assert found.isnan().any()


def test_a_step_leaves_its_memory_and_nothing_else_to_the_next():
    torch.manual_seed(1)
    layer, upward = ConvLSTM(1, 8), torch.randn(2, 3, 8, 32, 32)
    first, other = torch.rand(2, 3, 1, 32, 32), torch.rand(2, 3, 1, 32, 32)
    winograd._spare.clear()
    fresh = learned(layer, first, upward)
    assert len(winograd._spare) == 1
    learned(layer, other, upward)
    learned(layer, other[:1], upward[:1])
    assert len(winograd._spare) == 1
    learned(layer, other, upward)
    for one, same in zip(learned(layer, first, upward), fresh, strict=True):
        assert torch.equal(one, same)


def test_two_steps_may_be_under_way_at_once():
    torch.manual_seed(1)
    layer = ConvLSTM(1, 8)
    one, other = (layer(torch.full((1, 2, 1, 32, 32), grey)).sum() for grey in (0.2, 0.9))
    (together,) = torch.autograd.grad(one + other, layer.bias)
    apart = sum(
        torch.autograd.grad(layer(torch.full((1, 2, 1, 32, 32), grey)).sum(), layer.bias)[0]
        for grey in (0.2, 0.9)
    )
    torch.testing.assert_close(together, apart)


def test_states_are_differentiated_once():
    layer = ConvLSTM(1, 8)
    states = layer(torch.rand(1, 2, 1, 32, 32)).sum()
    states.backward(retain_graph=True)
    with pytest.raises(ModelError, match="once"):
        states.backward()


def test_it_is_for_the_training_of_large_float32_states():
    large, weight = torch.zeros(2, 3, 1, 32, 32), torch.zeros(32, 9, 3, 3, requires_grad=True)
    assert winograd.fits(large, weight)
    assert not winograd.fits(large[..., :30], weight)
    assert not winograd.fits(large[..., :16], weight)
    assert not winograd.fits(large.double(), weight)
    assert not winograd.fits(large, torch.zeros(48, 13, 3, 3, requires_grad=True))
    assert not winograd.fits(large, torch.zeros(32, 9, 5, 5, requires_grad=True))
    with torch.no_grad():
        assert not winograd.fits(large, weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert not winograd.fits(large, weight)


@pytest.mark.parametrize("terms", [{"layer_norm": True}, {"peephole": (32, 32)}])
def test_a_layer_with_further_terms_learns_directly(terms, monkeypatch):
    monkeypatch.setattr(winograd, "hidden_states", None)
    layer = ConvLSTM(1, 8, **terms)
    layer(torch.rand(1, 2, 1, 32, 32)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0
