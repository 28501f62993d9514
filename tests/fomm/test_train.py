"""Training learns, repeats and resumes, on drawn faces and a tiny network."""

import dataclasses
import os
import signal
import time

import pytest
import torch

from fomm.config import CONFIGS, HourglassConfig
from fomm.errors import MotionError
from fomm.initial import take_over
from fomm.loop import train
from fomm.model import MotionModel
from fomm.perception import Perception, network
from fomm.recipe import TrainConfig
from fomm.train import Trainer

TINY = dataclasses.replace(
    CONFIGS["compact-128"],
    detector=HourglassConfig(4, 16, 2),
    dense=HourglassConfig(4, 16, 2),
    width=8,
    max_width=16,
    residual_blocks=1,
)
SHORT = TrainConfig(
    model=TINY, steps=4, point_steps=2, flow_steps=2, picture_steps=2, hold_norms=1, batch=2,
    save_every=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(performances):
    return performances(3, 2, 3)


def silent(line):
    pass


def equal(one, other):
    return all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.fixture(autouse=True)
def _settings():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny networks spend more on sharing work than on doing it
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def test_training_repeats_by_seed(data):
    one, other, different = (train(data, SHORT, seed, say=silent) for seed in (1, 1, 2))
    assert equal(one[0], other[0])
    assert one[1] == other[1]
    assert not equal(one[0], different[0])


def test_a_killed_training_goes_on_to_the_same_model(data, tmp_path):
    state = tmp_path / "state.pt"
    broken = Trainer(SHORT, 1)
    for _ in range(3):
        broken.advance(data)
    broken.save(state)
    resumed, _ = train(data, SHORT, 1, state, say=silent)
    assert equal(resumed, train(data, SHORT, 1, say=silent)[0])


def test_the_state_of_another_training_is_refused(data, tmp_path):
    state = tmp_path / "state.pt"
    Trainer(SHORT, 1).save(state)
    other = dataclasses.replace(SHORT, model=dataclasses.replace(TINY, width=12))
    with pytest.raises(MotionError, match="another training"):
        Trainer(other, 1).resume(state)


def falls(trainer, data, name, steps):
    """The last losses' mean as a share of the first ones'."""
    losses = [trainer.advance(data)[name].item() for _ in range(steps)]
    return sum(losses[-5:]) / sum(losses[:5])


def test_key_points_learn_where_they_belong(data):
    config = dataclasses.replace(SHORT, point_steps=100, batch=4, learning_rate=1e-2)
    assert falls(Trainer(config, 1), data, "points", 40) < 0.7


def test_pictures_are_learned(data):
    config = dataclasses.replace(
        SHORT, point_steps=0, flow_steps=0, picture_steps=100, batch=4, hold_norms=5
    )
    assert falls(Trainer(config, 1), data, "image", 40) < 0.9


def test_openings_of_lids_and_lips_are_learned(data):
    config = dataclasses.replace(SHORT, point_steps=100, batch=4, learning_rate=1e-2)
    assert falls(Trainer(config, 1), data, "openings", 40) < 0.8


def test_the_flow_is_learned_without_a_picture(data):
    config = dataclasses.replace(
        SHORT, point_steps=0, flow_steps=100, batch=4, learning_rate=5e-3, points=0, openings=0
    )
    trainer = Trainer(config, 1)
    before = trainer.model.generator.final.weight.clone()
    assert falls(trainer, data, "warped", 40) < 0.95
    assert torch.equal(trainer.model.generator.final.weight, before)


def test_the_whole_model_learns(data):
    config = dataclasses.replace(
        SHORT, point_steps=0, flow_steps=0, picture_steps=0, steps=100, batch=4, learning_rate=5e-3
    )
    assert falls(Trainer(config, 1), data, "image", 60) < 0.6


def test_what_is_painted_learns_without_a_share_of_the_picture(data):
    blend = dataclasses.replace(TINY, down_blocks=1, blend=True)
    config = dataclasses.replace(
        SHORT, model=blend, point_steps=0, flow_steps=0, picture_steps=0, steps=100, batch=4,
        learning_rate=5e-3,
    )  # fmt: skip
    trainer = Trainer(config, 1)
    with torch.no_grad():
        trainer.model.generator.final.bias[3] = -6.0
    assert falls(trainer, data, "painted", 40) < 0.8


def test_phases_follow_each_other(data):
    trainer, seen = Trainer(SHORT, 1), []
    for _ in range(trainer.total):
        seen.append(trainer.phase())
        trainer.advance(data)
    names = ["points"] * 2 + ["flow"] * 2 + ["picture"] * 2 + ["whole"] * 4
    assert [name for name, _, _ in seen] == names
    assert [step for _, step, _ in seen] == [0, 1, 0, 1, 0, 1, 0, 1, 2, 3]
    assert trainer.phase()[0] == "finished"


def test_progress_tells_losses_and_speed(data):
    lines = []
    _, curve = train(data, SHORT, 1, say=lines.append)
    assert curve[-1]["step"] == 10
    assert lines[0] == "precision float32"
    assert "step 2/10" in lines[1]
    assert all("steps/s" in line for line in lines[1:])


def test_training_moves_every_network(data):
    whole = dataclasses.replace(SHORT, point_steps=0, flow_steps=0, picture_steps=0)
    trainer = Trainer(whole, 1)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    for _ in range(2):  # what lies behind a layer that starts at zero moves from the second step on
        trainer.advance(data)
    still = {name for name, p in trainer.model.named_parameters() if torch.equal(p, before[name])}
    assert not still


def test_norms_stand_still_once_the_whole_is_trained(data):
    trainer = Trainer(SHORT, 1)
    while trainer.phase()[0] != "whole":
        trainer.advance(data)
    before = {name: b.clone() for name, b in trainer.model.named_buffers() if "running" in name}
    assert any(not torch.equal(b, torch.ones_like(b)) for b in before.values())
    trainer.advance(data)
    assert all(torch.equal(dict(trainer.model.named_buffers())[name], b) for name, b in
               before.items())  # fmt: skip
    assert not trainer.finished().training


def perceiving(tmp_path):
    """The perceptual network with random weights, read from a file as the real ones are."""
    torch.manual_seed(0)
    path = tmp_path / "weights.pth"
    torch.save(network().state_dict(), path)
    return Perception(path)


def test_a_perceptual_loss_is_learned_from_and_counted(data, tmp_path):
    config = dataclasses.replace(
        SHORT, point_steps=0, flow_steps=0, picture_steps=0, perceptual=0.5
    )
    trainer = Trainer(config, 1, perception=perceiving(tmp_path))
    plain = Trainer(dataclasses.replace(config, perceptual=0.0), 1)
    losses = trainer.advance(data)
    assert losses["perceptual"] > 0
    assert "perceptual" not in plain.advance(data)
    trainer.advance(data), plain.advance(data)
    assert not equal(trainer.finished(), plain.finished())
    assert not any(p.requires_grad for p in trainer.perception.parameters())
    with pytest.raises(MotionError, match="needs a network that perceives"):
        Trainer(config, 1)


def test_a_training_with_faults_repeats_and_differs(data):
    worn = dataclasses.replace(SHORT, colour_cast=0.1, blur=1.0, jpeg=1.0)
    one, other = (train(data, worn, 1, say=silent)[0] for _ in range(2))
    assert equal(one, other)
    assert not equal(one, train(data, SHORT, 1, say=silent)[0])


@pytest.mark.parametrize("last", [1, 7])
def test_a_training_killed_at_any_step_ends_as_an_unbroken_one(data, tmp_path, last):
    config, state = dataclasses.replace(SHORT, save_every=1), tmp_path / "state.pt"
    child = os.fork()
    if not child:  # killed hard, as a machine's memory killer does it
        train(data, config, 1, state, lambda line: None)
        os._exit(0)
    while not state.is_file() or torch.load(state, weights_only=True)["step"] < last:
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    broken, curve = train(data, config, 1, state, silent)
    whole, other = train(data, config, 1, say=silent)
    assert equal(broken, whole)
    assert curve == other


def test_a_state_that_is_cut_short_or_of_another_seed_is_told(data, tmp_path):
    state = tmp_path / "state.pt"
    Trainer(SHORT, 1).save(state)
    with pytest.raises(MotionError, match="another training"):
        Trainer(SHORT, 2).resume(state)
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(MotionError, match="no whole training state"):
        Trainer(SHORT, 1).resume(state)


def test_a_larger_network_begins_with_a_smaller_ones_motion():
    small, large = (
        MotionModel(dataclasses.replace(TINY, name=str(size), size=size)) for size in (128, 256)
    )
    take_over(large, small)
    for name, value in large.kp_detector.state_dict().items():
        if not name.startswith("down."):
            assert torch.equal(value, small.kp_detector.state_dict()[name])
    with pytest.raises(MotionError, match="same motion networks"):
        take_over(large, MotionModel(dataclasses.replace(TINY, dense=HourglassConfig(4, 16, 1))))
