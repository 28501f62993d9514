from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.errors import StageError
from pipeline.facenets import training
from pipeline.facenets.training import Task


def line(steps=4, width=1):
    def draw(step, rng):
        x = torch.from_numpy(rng.normal(size=(8, width)).astype(np.float32))
        return x, 3 * x[:, :1]

    def loss(net, batch):
        return (net(batch[0]) - batch[1]).square().mean()

    return Task("line", nn.Linear(width, 1), draw, loss, steps, 0.1)


def trained(task, state=None, seed=2, say=lambda text: None):
    curve = training.train(task, seed, state, say)
    return curve, task.net.weight.detach().clone()


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVED", 2)
    with training.repeatable(0):
        _, whole = trained(line(6))

    def dying(step, rng):
        if step == 5:
            raise KeyboardInterrupt
        return line().draw(step, rng)

    with training.repeatable(0), pytest.raises(KeyboardInterrupt):
        trained(replace(line(6), draw=dying), tmp_path / "line.pt")
    said = []
    with training.repeatable(0):
        _, resumed = trained(line(6), tmp_path / "line.pt", say=said.append)
    assert "going on from step 4" in said[0]
    assert torch.equal(resumed, whole)


def test_a_finished_training_is_read_and_not_repeated(tmp_path):
    with training.repeatable(0):
        curve, weight = trained(line(), tmp_path / "line.pt")
        read, same = trained(line(), tmp_path / "line.pt")
    assert read == curve
    assert torch.equal(same, weight)


def test_the_state_of_another_network_is_refused(tmp_path):
    trained(line(), tmp_path / "line.pt")
    with pytest.raises(StageError, match="another training; delete it"):
        trained(line(width=2), tmp_path / "line.pt")


def test_the_rate_rises_then_falls_to_zero():
    shares = [training.share(step, 1000) for step in range(1001)]
    assert shares[0] < 0.03
    assert max(shares) > 0.95
    assert shares[1000] == pytest.approx(0)
    assert all(a >= b for a, b in pairwise(shares[100:]))


def test_progress_says_what_is_left(monkeypatch):
    monkeypatch.setattr(training, "EVERY", 2)
    said = []
    curve, _ = trained(line(4), say=said.append)
    assert [point["step"] for point in curve] == [2, 4]
    assert "line step 2/4" in said[0]
    assert "min left" in said[0]


def test_settings_are_as_before_afterwards():
    threads = torch.get_num_threads()
    with training.repeatable(0):
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
