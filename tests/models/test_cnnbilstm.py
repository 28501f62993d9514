import pytest
import torch

from models import ModelError, build


def network(**parameters):
    torch.manual_seed(3)
    return build(
        "cnnbilstm", classes=2, channels=2, size=16, frames=5,
        parameters={"width": 4, "hidden": 6, **parameters},
    ).eval()  # fmt: skip


def test_padding_has_no_influence():
    model = network()
    short, long = torch.rand(1, 3, 2, 16, 16), torch.rand(1, 5, 2, 16, 16)
    lengths = torch.tensor([3, 5])
    for filler in (torch.zeros(1, 2, 2, 16, 16), torch.rand(1, 2, 2, 16, 16)):
        scores = model(torch.cat([torch.cat([short, filler], 1), long]), lengths)
        torch.testing.assert_close(scores, torch.cat([model(short), model(long)]))


def test_no_gradient_reaches_the_padding():
    windows = torch.rand(2, 5, 2, 16, 16, requires_grad=True)
    network()(windows, torch.tensor([2, 5])).sum().backward()
    assert windows.grad[0, 2:].abs().max() == 0
    assert windows.grad[0, :2].abs().max() > 0
    assert windows.grad[1].abs().amax((1, 2, 3)).min() > 0


def test_it_reads_both_ways():
    model, windows = network(), torch.rand(1, 4, 2, 16, 16)
    first, last = windows.clone(), windows.clone()
    first[:, 0] = 0.2
    last[:, -1] = 0.2
    assert not torch.allclose(model(windows), model(first))
    assert not torch.allclose(model(windows), model(last))
    assert not torch.allclose(model(windows), model(windows.flip(1)))


def test_lengths_outside_the_window_are_refused():
    with pytest.raises(ModelError, match="from 1 to 5 a window"):
        network()(torch.rand(2, 5, 2, 16, 16), torch.tensor([0, 5]))
