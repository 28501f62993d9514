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
