"""The angle that a clip is seen from, by the name of the nearest of KDEF's cameras."""

import numpy as np
import pytest

from avatars import angles
from pipeline.corpus.plan import filmed, plan_clip, population
from pipeline.corpus.planned import Plan
from pipeline.evaluation.answers import Looks
from pipeline.evaluation.groups import PLANNED, angle, breakdown, grouped, members
from pipeline.params import Params
from pipeline.records import FaceTrack

PARAMS = Params()


@pytest.fixture(scope="module")
def clip():
    return plan_clip(PARAMS, population(PARAMS, "corpus", 0), "0/anger", "anger", 2)


@pytest.mark.parametrize("name", angles.NAMED)
def test_each_named_camera_is_its_own_angle(clip, name):
    assert angle(filmed(clip, *angles.NAMED[name])) == name


def test_a_clip_without_cameras_is_seen_straight(clip):
    assert angle(clip) == "straight"


def test_an_angle_between_two_cameras_is_the_nearer_ones(clip):
    assert angle(filmed(clip, 30, 10)) == "half-left"
    assert angle(filmed(clip, -22, 0)) == "straight"
    assert angle(filmed(clip, -68, 0)) == "full-right"


def test_the_angle_of_a_crop_is_its_driving_clips(clip):
    turned = filmed(clip, 45, 0)
    track = FaceTrack(
        clip_id="clip-x", kind="transfer", label="anger", cohort="cast", trained=True,
        identity_id=clip.person.identity_id, portrait_id="portrait-x", person=clip.person,
        driving_clip_id=turned.clip_id, detector="haar", boxes=[],
    )  # fmt: skip
    values = grouped(
        ["clip-x"], ["angle", "condition", "sex"], Looks({"clip-x": track}, {}, {}),
        Plan([clip, turned], [], []),
    )  # fmt: skip
    assert values == {"angle": ["half-left"], "condition": ["none"], "sex": [clip.person.sex]}


def test_a_clip_counts_under_each_thing_that_is_worn(clip):
    worn = clip.model_copy(update={"occluders": ["pillow", "oxygen_mask"]})
    assert PLANNED["occluder"](clip, clip.person) == "none"
    values = [PLANNED["occluder"](one, one.person) for one in (worn, clip, worn)]
    found = members(values)
    assert {name: mine.tolist() for name, mine in found.items()} == {
        "none": [False, True, False],
        "oxygen_mask": [True, False, True],
        "pillow": [True, False, True],
    }
    people = (["a", "b", "c"], ["a", "b", "a"])
    table = breakdown(values, np.array([True, False, False]), people, (100, 1))
    assert {name: (row["n"], row["n_people"], row["accuracy"]) for name, row in table.items()} == {
        "none": (1, 1, 0.0), "oxygen_mask": (2, 2, 0.5), "pillow": (2, 2, 0.5),
    }  # fmt: skip
