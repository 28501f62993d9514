"""What years and sex do to the shape, measured on the mesh."""

import dataclasses

import numpy as np
import pytest

from avatars import ageing, landmarks, shape
from avatars.targets import Targets


@pytest.fixture(scope="module")
def targets(assets):
    return Targets(assets.targets())


def test_every_detail_exists(identity, targets):
    for sex in ("female", "male"):
        old = dataclasses.replace(identity, age=85.0, sex=sex)
        assert all(name in targets for name in ageing.details(old))


def test_a_face_sags_from_30_to_85():
    assert ageing.aged(25) == ageing.aged(30) == 0
    assert 0 < ageing.aged(50) < ageing.aged(70) < ageing.aged(85) == 1


def test_no_detail_goes_past_its_target(identity):
    old = dataclasses.replace(identity, age=90.0, details={"nose/nose-point-down": 0.85})
    weights = shape.detail_weights(old)
    assert weights["nose/nose-point-down"] == 1.0
    assert all(0 <= weight <= 1 for weight in weights.values())


def test_old_lips_are_thinner(identity, person, targets):
    """Against the macro targets alone, at the same age."""
    old = dataclasses.replace(identity, age=85.0, sex="male")
    sagged = landmarks.locate(shape.neutral(old, person.base, targets))
    weights = {**shape.macro_weights(old), **old.details}
    firm = landmarks.locate(targets.add(person.base.mesh.vertices, weights))
    assert np.ptp(sagged[[51, 57], 1]) < np.ptp(firm[[51, 57], 1])


def test_a_womans_jaw_is_narrower_than_a_mans(identity, person, targets):
    widths = [
        np.ptp(landmarks.locate(shape.neutral(someone, person.base, targets))[[5, 11], 0])
        for someone in (dataclasses.replace(identity, sex=sex) for sex in ("female", "male"))
    ]
    assert widths[0] < widths[1]
