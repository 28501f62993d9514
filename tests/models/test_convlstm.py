import numpy as np
import pytest
import torch
from scipy.signal import correlate

from models import ConvLSTM, ModelError, build


def classifier(classes=5, size=16, **parameters):
    return build(
        "convlstm", classes=classes, channels=1, size=size, frames=5, parameters=parameters
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def conv(x, w):
    # (C, H, W), (D, C, K, K) > (D, H, W): the paper's *, zero padded to the same size.
    same = [(0, 0), (w.shape[-1] // 2,) * 2, (w.shape[-1] // 2,) * 2]
    return np.stack([correlate(np.pad(x, same), kernel, mode="valid")[0] for kernel in w])


def shi_2015(frames, weight, bias, peephole, hidden):
    """Equation 3 of the paper in float64 numpy, gate by gate; (T, C, H, W) > (T, D, H, W)."""
    wx, wh = np.split(weight, [frames.shape[1]], axis=1)
    wxi, wxf, wxc, wxo = np.split(wx, 4)
    whi, whf, whc, who = np.split(wh, 4)
    bi, bf, bc, bo = (b[:, None, None] for b in np.split(bias, 4))
    wci, wcf, wco = peephole
    h = c = np.zeros((hidden, *frames.shape[2:]))
    states = []
    for x in frames:
        i = sigmoid(conv(x, wxi) + conv(h, whi) + wci * c + bi)
        f = sigmoid(conv(x, wxf) + conv(h, whf) + wcf * c + bf)
        c = f * c + i * np.tanh(conv(x, wxc) + conv(h, whc) + bc)
        o = sigmoid(conv(x, wxo) + conv(h, who) + wco * c + bo)
        h = o * np.tanh(c)
        states.append(h)
    return np.stack(states)


@pytest.mark.parametrize("peephole", [False, True])
def test_the_layer_computes_the_papers_equations(peephole):
    rng = np.random.default_rng(3)
    layer = ConvLSTM(2, 3, kernel=3, peephole=(6, 5) if peephole else None).double()
    weight, bias = rng.normal(0, 0.4, (12, 5, 3, 3)), rng.normal(0, 0.4, 12)
    terms = rng.normal(0, 0.4, (3, 3, 6, 5)) if peephole else np.zeros((3, 3, 6, 5))
    layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    if peephole:
        layer.peephole.data = torch.from_numpy(terms)
    frames = rng.normal(size=(4, 2, 6, 5))
    states = layer(torch.from_numpy(frames)[None])[0].detach().numpy()
    np.testing.assert_allclose(states, shi_2015(frames, weight, bias, terms, 3), atol=1e-12)


def test_gates_forget_nothing_at_first():
    layer = ConvLSTM(2, 3)
    assert torch.equal(layer.bias, torch.tensor([0.0] * 3 + [1.0] * 3 + [0.0] * 6))


def test_the_recurrent_kernel_starts_orthogonal():
    recurrent = ConvLSTM(2, 3).weight[:, 2:].flatten(1)  # (12, 27)
    torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(12), atol=1e-5, rtol=0)


def test_states_keep_their_past():
    layer = ConvLSTM(1, 4)
    frames = torch.zeros(2, 5, 1, 8, 8)
    frames[1, 0] = 1.0  # differs in the first frame only
    states = layer(frames)
    assert not torch.allclose(states[0, -1], states[1, -1])


def test_an_even_kernel_is_refused():
    with pytest.raises(ModelError, match="odd"):
        ConvLSTM(1, 2, kernel=4)


@pytest.mark.parametrize("peephole", [False, True])
def test_the_classifier_scores_windows_of_any_length(peephole):
    network = classifier(classes=3, size=16, hidden=8, peephole=peephole)
    assert network(torch.rand(2, 5, 1, 16, 16)).shape == (2, 3)
    assert network(torch.rand(1, 1, 1, 16, 16)).shape == (1, 3)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_padding_behind_a_window_is_not_read(layer_norm):
    network = classifier(size=16, hidden=8, layer_norm=layer_norm).eval()
    short, long = torch.rand(1, 3, 1, 16, 16), torch.rand(1, 5, 1, 16, 16)
    padded = torch.cat([torch.cat([short, torch.ones(1, 2, 1, 16, 16)], 1), long])
    scores = network(padded, torch.tensor([3, 5]))
    torch.testing.assert_close(scores, torch.cat([network(short), network(long)]))


@pytest.mark.parametrize("lengths", [[0, 5], [3, 6], [3]])
def test_lengths_outside_the_window_are_refused(lengths):
    network = classifier(size=16, hidden=8)
    with pytest.raises(ModelError, match="from 1 to 5 a window"):
        network(torch.rand(2, 5, 1, 16, 16), torch.tensor(lengths))


def test_light_and_contrast_do_not_count():
    torch.manual_seed(0)
    network = classifier(size=32).eval()
    windows = torch.rand(2, 4, 1, 32, 32)
    dark = 0.1 + 0.5 * windows
    torch.testing.assert_close(network(dark), network(windows), atol=0.005, rtol=0)
    assert not torch.allclose(network(dark), network(windows.flip(-1)), atol=0.02)


def test_layer_norm_makes_gates_of_a_size():
    layer, inputs = ConvLSTM(2, 4, layer_norm=True), torch.rand(1, 6, 8, 8)
    gates = layer._gates(inputs) - layer.bias[:, None, None]
    torch.testing.assert_close(layer._gates(100 * inputs) - layer.bias[:, None, None], gates,
                               atol=1e-2, rtol=0)  # fmt: skip
    assert gates.std().item() == pytest.approx(1, abs=0.02)


def test_the_classifier_reads_the_order_of_frames():
    network = classifier(size=16, hidden=8).eval()
    windows = torch.rand(1, 6, 1, 16, 16)
    assert not torch.allclose(network(windows), network(windows.flip(1)))


def test_every_parameter_learns():
    network = classifier(size=16, hidden=8, peephole=True, layer_norm=True)
    network(torch.rand(4, 3, 1, 16, 16)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("shape", [(2, 5, 1, 16, 20), (2, 5, 3, 16, 16), (5, 1, 16, 16)])
def test_windows_of_another_shape_are_refused(shape):
    network = classifier(size=16, hidden=8)
    with pytest.raises(ModelError, match=r"windows are \(N, T, 1, 16, 16\)"):
        network(torch.rand(shape))


def test_a_size_the_stem_cannot_halve_twice_is_refused():
    with pytest.raises(ModelError, match="multiple of 16"):
        classifier(size=40)
