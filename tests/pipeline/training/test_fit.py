import numpy as np
import pytest
import torch

from models import build
from pipeline.errors import StageError
from pipeline.params import TrainParams
from pipeline.training.augment import mirror_table
from pipeline.training.fit import (
    Lesson,
    Part,
    best_epoch,
    chance_level,
    class_weights,
    find_device,
    fit,
    judge,
    repeatable,
)

PARAMS = TrainParams(epochs=5, batch=8, learning_rate=1e-2)


def bars(count, seed):
    """Windows whose bright bar goes down (class 0) or up (class 1); one frame tells nothing."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    windows = rng.integers(0, 30, (count, 4, 16, 16), dtype=np.uint8)
    for window, target in zip(windows, targets, strict=True):
        first = rng.integers(0, 4)
        for frame in range(4):
            window[frame, (first + 4 * frame) * (1 - 2 * target) - target] = 255
    return Part(windows, targets)


def lesson(train):
    """`train` with the same validation part each time; both classes stay what they are mirrored."""
    return Lesson(train, bars(32, 2), mirror_table("ab", {"a": "a", "b": "b"}))


def network_of(dropout):
    parameters = {"stem": 4, "hidden": 4, "dropout": dropout}
    return build("convlstm", classes=2, channels=1, size=16, frames=4, parameters=parameters)


def trained(seed, train=None, report=print, state=None, dropout=0.0):
    with repeatable(seed) as generator:
        network = network_of(dropout)
        curve = fit(network, lesson(train or bars(96, 1)), PARAMS, generator, report, state)
    return network, curve


@pytest.fixture(scope="module")
def fitted():
    return trained(3)


def test_motion_is_learned(fitted):
    network, curve = fitted
    assert judge(network, bars(64, 7))[1] > 0.9
    assert curve[-1].loss < curve[0].loss


def test_the_best_epochs_weights_are_kept(fitted):
    network, curve = fitted
    best = best_epoch(curve)
    assert judge(network, bars(32, 2)) == pytest.approx(
        (best.validation_loss, best.validation_accuracy), abs=1e-6
    )


def test_what_gets_no_better_ends():
    train = bars(96, 1)
    constant = Part(np.zeros_like(train.windows), np.zeros(96, dtype=np.int64))
    with repeatable(3) as generator:
        network = network_of(0.0)
        impatient = PARAMS.model_copy(update={"patience": 1, "epochs": 9, "learning_rate": 1e-9})
        # The validation part is as good as a coin, and steps this small do not change it.
        curve = fit(network, lesson(constant), impatient, generator, print)
    assert len(curve) < 9
    assert len(curve) - best_epoch(curve).epoch == 1


def test_a_network_at_chance_is_waited_for():
    with repeatable(3) as generator:
        slow = PARAMS.model_copy(update={"patience": 1, "epochs": 4, "learning_rate": 1e-9})
        curve = fit(network_of(0.0), lesson(bars(96, 1)), slow, generator, print)
    assert max(row.accuracy for row in curve) < chance_level(bars(96, 1).targets)
    assert best_epoch(curve).epoch < 3
    assert len(curve) == 4


@pytest.mark.parametrize(
    ("targets", "level"),
    [([0, 1] * 50, 0.65), ([0] * 75 + [1] * 25, 0.879904), ([0, 0, 0, 1], 1.0), ([0, 0], 1.0)],
)
def test_chance_is_three_standard_errors_above_the_largest_class(targets, level):
    assert chance_level(np.array(targets)) == pytest.approx(level)


def test_a_class_a_third_as_frequent_weighs_three_times():
    weights = class_weights(np.array([0, 0, 0, 1]), 2)
    assert weights.tolist() == pytest.approx([2 / 3, 2.0])


def test_weights_reach_the_loss():
    uneven = bars(96, 1)
    rare = np.r_[np.flatnonzero(uneven.targets == 0), np.flatnonzero(uneven.targets == 1)[:6]]
    part = Part(uneven.windows[rare], uneven.targets[rare])
    curves = []
    for weighed in (False, True):
        with repeatable(3) as generator:
            network = network_of(0.0)
            params = PARAMS.model_copy(update={"class_weights": weighed, "epochs": 1})
            curve = fit(network, lesson(part), params, generator, print)
            curves.append(curve[0].loss)
    assert curves[0] != curves[1]


def test_same_seed_same_weights(fitted):
    again, other = trained(3)[0].state_dict(), trained(4)[0].state_dict()
    assert all(torch.equal(value, again[key]) for key, value in fitted[0].state_dict().items())
    assert not torch.equal(again["recurrence.weight"], other["recurrence.weight"])


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    def killed(row):
        if row.epoch == 2:
            raise KeyboardInterrupt

    state = tmp_path / "unfinished" / "state.pt"
    whole, curve = trained(3, dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        trained(3, report=killed, state=state, dropout=0.3)
    told = []
    resumed, joined = trained(3, report=told.append, state=state, dropout=0.3)
    assert [row.epoch for row in told] == [3, 4, 5]
    assert joined == curve
    weights = resumed.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in whole.state_dict().items())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_one_sentence():
    with pytest.raises(StageError, match=r"train.device is cuda, but .* set it to cpu"):
        find_device("cuda")


def test_labels_without_meaning_are_not_learned(fitted):
    train = bars(96, 1)
    shuffled = np.random.default_rng(0).permutation(train.targets)
    network, _ = trained(3, Part(train.windows, shuffled))
    assert judge(network, bars(64, 7))[0] > judge(fitted[0], bars(64, 7))[0]


def test_repeatable_leaves_torch_as_it_was():
    before, state = torch.get_num_threads(), torch.get_rng_state()
    with repeatable(1):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        torch.rand(3)
    assert torch.get_num_threads() == before
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
