import pytest
import torch

from models.cell import cell_step


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
