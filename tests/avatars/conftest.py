"""A person and a scene to look at, built once."""

import numpy as np
import pytest

from avatars.identity import sample_identity
from avatars.person import Person
from avatars.scene import sample_scene
from avatars.targets import Targets


@pytest.fixture(scope="session")
def identity():
    return sample_identity(2, np.random.default_rng(1), np.random.default_rng(2))


@pytest.fixture(scope="session")
def person(identity, assets):
    return Person(identity, assets, Targets(assets.targets()))


@pytest.fixture(scope="session")
def scene():
    return sample_scene(np.random.default_rng(5))
