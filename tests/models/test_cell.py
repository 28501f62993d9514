import pytest
import torch

from models.cell import cell_step, go_back, go_on


def inputs(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    gates = torch.randn(2, 12, 3, 2, generator=generator, dtype=dtype) * 2
    cell = torch.randn(2, 3, 3, 2, generator=generator, dtype=dtype)
    return gates.requires_grad_(), cell.requires_grad_()


def test_with_and_without_gradient_it_is_the_same_step():
    tracked = cell_step(*inputs())
    with torch.no_grad():
        plain = cell_step(*inputs())
    for one, other in zip(tracked, plain, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


@pytest.mark.parametrize("which", [0, 1])
def test_the_written_gradient_is_the_numerical_one(which):
    assert torch.autograd.gradcheck(lambda g, c: cell_step(g, c)[which], inputs())


def test_states_keep_their_precision_when_gates_are_coarse():
    gates, cell = inputs(torch.float32)
    hidden, after = cell_step(gates.bfloat16(), cell)
    assert hidden.dtype == after.dtype == torch.float32
    hidden.sum().backward()
    assert gates.grad.abs().sum() > 0


def test_in_place_with_halved_states_it_is_the_same_step_and_gradient():
    gates, cell = inputs()
    hidden, after = cell_step(gates, cell)
    d_hidden, d_after = torch.randn_like(hidden), torch.randn_like(after)
    wanted = torch.autograd.grad((hidden, after), (gates, cell), (d_hidden, d_after))
    last = [x.detach().movedim(1, -1).contiguous() for x in (gates, cell, d_hidden, d_after)]
    opened, before, d_hidden, d_cell = last
    double = torch.tensor([1, 1, 2, 1]).repeat_interleave(3)
    opened.mul_(double)
    half, shown, d_gates = torch.empty_like(before), torch.empty_like(before), opened.clone()
    o = go_on(opened, before / 2, half, shown)
    torch.testing.assert_close(2 * half, after.movedim(1, -1))
    torch.testing.assert_close(o * shown, hidden.movedim(1, -1))
    d_cell *= 2  # the gradient of a half is twice that of the whole
    go_back(opened, before / 2, shown, d_hidden, d_cell, d_gates)
    torch.testing.assert_close(d_gates * double, wanted[0].movedim(1, -1))
    torch.testing.assert_close(d_cell / 2, wanted[1].movedim(1, -1))
