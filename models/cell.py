"""The elementwise half of a ConvLSTM step, with its gradient written out.

Left to autograd, each of the step's dozen small operations reads and writes whole states; written
out, forward and backward pass over memory about half as often.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_sigmoid_backward = torch.ops.aten.sigmoid_backward
_tanh_backward = torch.ops.aten.tanh_backward


def cell_step(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Gates (N, 4 D, H, W) before their functions, in the order i, f, c, o, and the cell state.

    Returns the new hidden and cell states (N, D, H, W) of `cell`'s dtype.
    """
    if torch.is_grad_enabled() and gates.requires_grad:
        hidden, cell = _Step.apply(gates.to(cell.dtype), cell)
        return hidden, cell
    i, f, c, o = gates.chunk(4, dim=1)
    cell = f.sigmoid() * cell + i.sigmoid() * c.tanh()
    return o.sigmoid() * cell.tanh(), cell


def _open_gates(gates: Tensor) -> Tensor:
    """Gates (N, 4 D, H, W) under their functions: sigmoid for i, f and o, tanh for c."""
    opened, size = torch.empty_like(gates), gates.shape[1] // 4
    functions = ((0, 2, torch.sigmoid), (2, 1, _tanh), (3, 1, torch.sigmoid))
    for start, count, function in functions:
        part = (1, start * size, count * size)
        function(gates.narrow(*part), out=opened.narrow(*part))
    return opened


def _tanh(x: Tensor, out: Tensor) -> Tensor:
    # torch's own takes three times as long here
    torch.mul(x, 2, out=out)
    return torch.sigmoid(out, out=out).mul_(2).sub_(1)


def go_on(opened: Tensor, before: Tensor, cell: Tensor, shown: Tensor) -> Tensor:
    """Half the new cell state into `cell`, its tanh into `shown`; returns o, a view of `opened`.

    In place, for a loop without new memory: `opened` (..., 4 D) are the gates i, f, c, o before
    their functions, c's doubled, and turn into sigmoids; of c, tanh is 2 sigmoid - 1, and halves of
    the states spare the factor. `before` is half the last cell state, each state is (..., D).
    """
    i, f, c, o = opened.sigmoid_().chunk(4, -1)
    torch.sub(c, 0.5, out=cell).mul_(i).addcmul_(f, before)
    torch.mul(cell, 4, out=shown).sigmoid_().mul_(2).sub_(1)
    return o


def go_back(
    opened: Tensor, before: Tensor, shown: Tensor, d_hidden: Tensor, d_cell: Tensor, d_gates: Tensor
) -> None:
    """The gradient of `go_on`: of its gates into `d_gates`, of the state before into `d_cell`.

    `d_cell` comes as the gradient of the new halved state; `d_hidden` is overwritten.
    """
    i, f, c, o = opened.chunk(4, -1)
    d_i, d_f, d_c, d_o = d_gates.chunk(4, -1)
    torch.mul(d_hidden, shown, out=d_o)
    _tanh_backward(d_hidden.mul_(o), shown, grad_input=d_hidden)
    d_cell.add_(d_hidden, alpha=2)
    torch.sub(c, 0.5, out=d_i).mul_(d_cell)
    torch.mul(d_cell, before, out=d_f)
    torch.mul(d_cell, i, out=d_c)
    d_cell.mul_(f)
    _sigmoid_backward(d_gates, opened, grad_input=d_gates)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        opened = _open_gates(gates)
        i, f, c, o = opened.chunk(4, dim=1)
        cell = torch.addcmul(f * before, i, c)
        shown = cell.tanh()
        ctx.save_for_backward(opened, before, shown)
        return o * shown, cell

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: Tensor, d_cell: Tensor) -> tuple[Tensor, Tensor]:
        opened, before, shown = ctx.saved_tensors
        i, f, c, o = opened.chunk(4, dim=1)
        d_cell = d_cell + _tanh_backward(d_hidden * o, shown)
        d_gates = torch.empty_like(opened)
        d_i, d_f, d_c, d_o = d_gates.chunk(4, dim=1)
        _sigmoid_backward(d_cell * c, i, grad_input=d_i)
        _sigmoid_backward(d_cell * before, f, grad_input=d_f)
        _tanh_backward(d_cell * i, c, grad_input=d_c)
        _sigmoid_backward(d_hidden * shown, o, grad_input=d_o)
        return d_gates, d_cell * f
