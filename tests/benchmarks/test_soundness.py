import dataclasses
import re

import numpy as np
import pytest
from soundness import Soundness, beyond, examine

from avatars.identity import sample_identity
from avatars.person import Person
from avatars.targets import Targets

SOUND = Soundness(
    finite=True, smallest_area=0.2, turned=0.001, open_px=700, beyond_mm=0.8, shut_px=0
)


@pytest.fixture(scope="module")
def targets(assets):
    return Targets(assets.targets())


def person_of(number, assets, targets):
    rng = np.random.default_rng([8, number])
    return Person(sample_identity(number, np.random.default_rng(8), rng), assets, targets)


@pytest.mark.parametrize("number", range(25))
def test_people_are_sound(number, assets, targets):
    assert examine(person_of(number, assets, targets)).faults == []


def test_damaged_geometry_is_seen(assets, targets):
    person = person_of(0, assets, targets)
    quad = person.quads[len(person.quads) // 2]
    person.face.neutral[quad] = person.face.neutral[quad].mean(axis=0)
    assert examine(person).smallest_area < 1e-6
    person.face.neutral[quad[0], 0] = np.nan
    assert not examine(person).finite


def test_an_eye_before_its_lids_is_seen(assets, targets):
    person = person_of(1, assets, targets)
    person._eyes[:, 2] += 0.1
    found = examine(person)
    assert found.beyond_mm > 2
    assert found.shut_px > 60


def test_beyond_is_the_distance_to_the_outline():
    marks = np.zeros((68, 2))
    marks[36:42] = [(10, 20), (14, 16), (18, 16), (22, 20), (18, 24), (14, 24)]
    marks[42:48] = marks[36:42] + np.array([30, 0])
    seen = np.zeros((64, 64), bool)
    seen[20, 16] = True
    assert beyond(seen, marks) == 0
    seen[10, 16] = True
    assert beyond(seen, marks) == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"finite": False}, "not finite"),
        ({"smallest_area": 1e-4}, r"shrunk to 1\.0e-04"),
        ({"smallest_area": float("nan")}, "shrunk to nan"),
        ({"turned": 0.02}, r"2\.0% of the face is inside out"),
        ({"open_px": 0}, "no eye is seen"),
        ({"beyond_mm": 3.2}, r"3\.2 mm outside its lids"),
        ({"shut_px": 70}, "70 pixels of eye are seen through shut lids"),
    ],
)
def test_each_fault_has_its_phrase(change, phrase):
    [fault] = dataclasses.replace(SOUND, **change).faults
    assert re.search(phrase, fault)
