"""Creases measured as weights, and once in a render; the lines: `test_crease_lines`."""

import dataclasses

import numpy as np
import pytest

from avatars import blender, creases
from avatars.person import Person
from avatars.targets import Targets
from avatars.units import UNITS

# What each unit folds, and which vertex of the own left lies there (iBUG points' vertices).
FOLDED = {
    "1": "forehead-inner", "2": "forehead-outer", "4": "glabella", "6": "crows-feet",
    "9": "nose", "10": "nasolabial", "12": "nasolabial", "15": "marionette", "17": "chin",
}  # fmt: skip


def executed(unit, left=1.0, right=1.0):
    units = np.zeros((len(UNITS), 2))
    units[list(UNITS).index(unit)] = left, right
    return units


@pytest.fixture(scope="module")
def young(identity):
    return dataclasses.replace(identity, age=22.0)


@pytest.fixture(scope="module")
def old(identity):
    return dataclasses.replace(identity, age=85.0)


@pytest.mark.parametrize("unit", FOLDED)
def test_unit_pulls_its_family_and_grows_with_intensity(unit):
    row = list(creases.FAMILIES).index(FOLDED[unit])
    pulls = [creases.pulled(executed(unit, i, i))[row, 0] for i in (0.0, 0.3, 0.6, 1.0)]
    assert pulls[0] == 0
    assert np.all(np.diff(pulls) > 0.15)
    assert pulls[-1] > 0.7


def test_pull_stays_in_range_under_every_unit():
    assert creases.pulled(np.ones((len(UNITS), 2))).max() <= 1.0


@pytest.mark.parametrize("unit", [unit for unit in FOLDED if UNITS[unit].paired])
def test_one_sided_unit_folds_its_own_side(person, unit):
    across, _ = creases.chart(person.base)
    young = creases.Folds(dataclasses.replace(person.identity, age=22.0), person.base)
    field = young.field(executed(unit, 1.0, 0.0)).max(axis=1)
    assert field[np.isfinite(across) & (across > 8)].max() > 0.5
    assert field[np.isfinite(across) & (across < -8)].max() == 0


def test_families_of_one_channel_never_pull_each_other(person):
    """A smile draws nothing across the forehead, raised brows nothing beside the mouth."""
    _, down = creases.chart(person.base)
    folds = creases.Folds(dataclasses.replace(person.identity, age=22.0), person.base)
    smile, brows = folds.field(executed("12")), folds.field(executed("1") + executed("2"))
    assert smile[np.isfinite(down) & (down < -18)].max() == 0
    assert brows[np.isfinite(down) & (down > -8)].max() == 0


def test_young_skin_is_smooth_at_rest_and_old_skin_keeps_its_folds(young, old, person):
    rest = np.zeros((len(UNITS), 2))
    assert not creases.Folds(young, person.base).field(rest).any()
    assert 0.4 < creases.Folds(old, person.base).field(rest).max() < 0.85


def test_folds_are_seen_in_the_picture(old, assets, scene):
    """Two renders that differ in nothing but the pull of the forehead's folds."""
    person = Person(old, assets, Targets(assets.targets()))
    studio = blender.studio(person, scene, 64, 4, 1)
    smooth = dataclasses.replace(person.neutral, creases=np.zeros_like(person.neutral.creases))
    folded = dataclasses.replace(smooth, creases=np.ones_like(smooth.creases))
    plain, lined = (studio.shoot(p, 1).astype(int) for p in (smooth, folded))
    assert np.abs(plain - lined).max() > 8
    assert np.array_equal(studio.shoot(smooth, 1), plain)
