"""Each unit measured on the mesh, not on pictures."""

import numpy as np
import pytest

from avatars import landmarks
from avatars.identity import sample_identity
from avatars.person import Person
from avatars.targets import Targets
from avatars.units import UNITS

STRAIGHT = np.zeros(2)
# iBUG points each unit must move, on the person's left.
REGION = {
    "1": [22], "2": [25], "4": [23], "5": [43], "6": [46], "7": [43], "9": [35], "10": [52],
    "12": [54], "14": [54], "15": [54], "16": [55], "17": [57], "18": [54], "20": [54],
    "22": [62], "23": [51], "24": [57], "25": [66], "26": [8], "27": [8], "41": [43], "43": [43],
}  # fmt: skip
BROWS, EYES, MOUTH = range(17, 27), range(36, 48), range(48, 68)
ELSEWHERE = {"1": MOUTH, "2": MOUTH, "4": MOUTH, "43": MOUTH, "12": BROWS, "15": EYES, "25": EYES}


def executed(unit, left=1.0, right=1.0):
    units = np.zeros((len(UNITS), 2))
    units[list(UNITS).index(unit)] = left, right
    return units


def moved(person, units):
    rest = landmarks.locate(person.face.neutral)
    return np.linalg.norm(landmarks.locate(person.face.express(units, STRAIGHT)) - rest, axis=1)


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_its_region_and_grows_with_intensity(person, unit):
    half, full = (moved(person, executed(unit, i, i))[REGION[unit]].max() for i in (0.5, 1.0))
    assert full > half > 0.0025  # dm


@pytest.mark.parametrize("unit", ELSEWHERE)
def test_unit_leaves_other_regions(person, unit):
    shift = moved(person, executed(unit))
    assert shift[list(ELSEWHERE[unit])].max() < 0.05 * shift.max()


@pytest.mark.parametrize("unit", [name for name, unit in UNITS.items() if unit.paired])
def test_one_sided_unit_leaves_the_other_brow_lids_and_mouth_corner(person, unit):
    shift = moved(person, executed(unit, left=1.0, right=0.0))
    others = [17, 18, 19, 36, 37, 38, 39, 40, 41, 48]
    assert shift[others].max() < 0.05 * shift.max()


@pytest.mark.parametrize("unit", [name for name, unit in UNITS.items() if unit.paired])
def test_left_is_the_mirror_of_right(person, unit):
    left = moved(person, executed(unit, 1.0, 0.0)).max()
    right = moved(person, executed(unit, 0.0, 1.0)).max()
    assert left == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize("number", [0, 2, 4, 10])  # tall eyes: 0, 2; lips apart in shape: 4, 10
def test_lips_touch_at_rest_and_lids_meet_when_shut(number, assets):
    rng = np.random.default_rng([1, number])
    identity = sample_identity(number, np.random.default_rng(1), rng)
    face = Person(identity, assets, Targets(assets.targets())).face
    assert landmarks.lip_gaps(face.neutral).max() <= 0.01 + 1e-9
    shut = landmarks.lid_heights(face.express(executed("43"), STRAIGHT))
    assert shut.max() <= -0.005 + 1e-9
    assert landmarks.lid_heights(face.neutral).min() > 0.04


def test_eyes_shut_and_stay_shut_under_more_units(person):
    both = executed("43") + executed("5") + executed("7") + executed("41")
    shut = landmarks.apertures(person.face.express(both, STRAIGHT))
    rest = landmarks.apertures(person.face.neutral)
    assert (shut < 0.1 * rest).all()


@pytest.mark.parametrize("unit", ["1", "2", "4", "6", "9"])
def test_lids_meet_whatever_else_pulls_at_them(person, unit):
    face = person.face.express(executed("43") + executed(unit), STRAIGHT)
    assert landmarks.lid_heights(face).max() <= -0.005 + 1e-9


def test_lid_follows_a_lowered_gaze(person):
    down = person.face.express(np.zeros((len(UNITS), 2)), np.array([0.0, -25.0]))
    assert (landmarks.apertures(down) < landmarks.apertures(person.face.neutral)).all()


def test_teeth_and_jaw_follow_the_mouth(person):
    rest = person.neutral.parts["teeth"]
    wide = person.posed(executed("27"), np.zeros(3), STRAIGHT).parts["teeth"]
    assert np.abs(wide - rest).max() > 0.005  # m


@pytest.mark.parametrize("units", [("15",), ("17",), ("15", "17"), ("17", "23", "24"), ("20",)])
def test_lips_meet_and_never_cross(person, units):
    face = person.face.express(sum(executed(unit) for unit in units), STRAIGHT)
    gaps = landmarks.lip_gaps(face)
    assert gaps.min() > -0.001  # dm
    assert gaps.max() < 0.02


def test_parted_lips_open_further_with_the_jaw(person):
    lips, jaw, both = (
        landmarks.lip_gaps(person.face.express(units, STRAIGHT)).min()
        for units in (executed("25"), executed("26"), executed("25") + executed("26"))
    )
    assert both > max(lips, jaw) + 0.02  # dm


def test_lower_teeth_and_tongue_follow_the_jaw_and_the_upper_teeth_stay(person):
    down = person.posed(executed("26"), np.zeros(3), STRAIGHT).parts
    fall = {kind: (person.neutral.parts[kind] - down[kind])[:, 2] for kind in ("teeth", "tongue")}
    assert fall["teeth"].max() > 0.003  # m
    assert np.quantile(fall["teeth"], 0.1) < 0.25 * fall["teeth"].max()
    assert fall["tongue"].max() > 0.001
