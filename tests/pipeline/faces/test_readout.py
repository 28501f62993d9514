import numpy as np
import pytest

from avatars.identity import sample_identity
from avatars.person import Person
from avatars.scene import sample_scene
from avatars.targets import Targets
from pipeline.faces import readout


def test_normalised_landmarks_know_no_head_motion():
    rng = np.random.default_rng(3)
    neutral = rng.uniform(20, 100, (68, 2))
    turn = 1.2 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    assert np.allclose(readout.normalised(neutral @ turn.T + [7, -4], neutral), 0, atol=1e-12)


def test_normalised_landmarks_keep_what_moved():
    neutral = np.random.default_rng(3).uniform(20, 100, (68, 2))
    moved = neutral.copy()
    moved[48] += [3, 0]
    eyes = np.linalg.norm(neutral[36:42].mean(axis=0) - neutral[42:48].mean(axis=0))
    shift = readout.normalised(moved, neutral)
    assert shift[48] == pytest.approx(3 / eyes)
    assert np.allclose(np.delete(shift, 48), 0)


def test_a_linear_truth_is_read_back_and_noise_is_not():
    rng = np.random.default_rng(0)
    units = rng.random((400, 16))
    features = units @ rng.normal(size=(16, 136))
    seen = readout.Seen(features, units)
    assert min(readout.r_squared(readout.fit(seen), seen).values()) > 0.999
    blind = readout.Seen(rng.normal(size=features.shape), units)
    unseen = readout.Seen(rng.normal(size=features.shape), units)
    assert max(readout.r_squared(readout.fit(blind), unseen).values()) < 0.1


def test_units_of_unseen_people_are_read_from_their_landmarks(assets):
    targets = Targets(assets.targets())
    seen = []
    for number in range(18):
        rng = np.random.default_rng([5, number])
        identity = sample_identity(number, np.random.default_rng(5), rng)
        person, scene = Person(identity, assets, targets), sample_scene(rng)
        seen.append(readout.observe(person, scene, 16, rng))
    weights = readout.fit(readout.pooled(seen[:13]))
    shares = readout.r_squared(weights, readout.pooled(seen[13:]))
    assert set(shares) == {
        *(f"{unit} {side}" for unit in ("1", "2", "4", "12", "15", "43") for side in
          ("left", "right")), "25", "26",
    }  # fmt: skip
    assert min(shares.values()) > 0.9
