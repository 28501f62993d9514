"""Rows of the records, and the ids that are digests of what they hold."""

import pytest

from pipeline.errors import StageError
from pipeline.records import (
    ClipPlan,
    Partner,
    Person,
    PortraitPlan,
    Reference,
    Sample,
    TransferPlan,
    short_id,
)

PERSON = Person(identity_id="identity-a", age=40.0, sex="female", ethnicity="asian")


def clip(**changes):
    values = {
        "clip_id": "", "key": "0/FD1", "person": PERSON, "identity": {"number": 0},
        "expression": "FD1", "scene": {"lamp": 1.0}, "seed": 3, "frames": 8, "fps": 4, "size": 48,
        "samples": 1,
    }  # fmt: skip
    return ClipPlan(**values | changes)


def sample(**changes):
    values = {"sample_id": "sample-a", "clip_id": "clip-a", "start": 0, "length": 4, "label": "FD1",
              "group": "g", "side": "train"}  # fmt: skip
    return Sample(**values | changes)


def digest_of(row):
    return short_id("id", row.content())


def test_a_sample_leaves_out_what_it_has_none_of():
    row = sample().row()
    assert {"targets", "reference"}.isdisjoint(row)
    assert {"origin", "partner"} <= row.keys()  # empty, but part of the table
    assert Sample.parse(row) == sample()


def test_a_sample_keeps_its_targets_and_its_reference():
    given = sample(targets={"severity": 0.4}, reference=Reference(clip_id="clip-b", start=2))
    row = given.row()
    assert row["targets"] == {"severity": 0.4}
    assert row["reference"] == {"clip_id": "clip-b", "start": 2}
    assert Sample.parse(row) == given


def test_what_a_clip_is_in_its_study_is_no_part_of_its_id():
    other = clip(label="odd", targets={"severity": 0.4}, cohort="cast", trained=False)
    assert digest_of(other) == digest_of(clip())
    assert digest_of(clip(clip_id="clip-x")) == digest_of(clip())


@pytest.mark.parametrize(
    "change",
    [{"seed": 4}, {"size": 64}, {"expression": "FD3-L"}, {"conditions": [{"kind": "palsy"}]},
     {"key": "1/FD1"}],
)  # fmt: skip
def test_what_a_clip_shows_decides_its_id(change):
    assert digest_of(clip(**change)) != digest_of(clip())


def test_two_severities_are_two_clips():
    made = [clip(conditions=[{"kind": "palsy", "severity": s}]) for s in (0.4, 0.5)]
    assert digest_of(made[0]) != digest_of(made[1])


def test_a_still_makes_the_same_portrait_whatever_its_label():
    def portrait(still):
        return PortraitPlan(
            portrait_id="", key="portrait/0", person=PERSON, licence="", consent="", origin="",
            file=None, clip=still,
        )  # fmt: skip

    assert digest_of(portrait(clip(label="FD1"))) == digest_of(portrait(clip()))
    assert digest_of(portrait(clip(seed=4))) != digest_of(portrait(clip()))


def test_a_transfer_is_its_portrait_and_its_driver():
    def transfer(**changes):
        values = {"clip_id": "", "portrait_id": "p", "driving_clip_id": "c", "expression": "FD1"}
        return TransferPlan(**values | changes)

    assert digest_of(transfer(label="FD1", cohort="cast")) == digest_of(transfer())
    assert digest_of(transfer(portrait_id="q")) != digest_of(transfer())


def test_copies_have_ids_of_their_own_and_name_their_origin():
    partner = Partner(sample_id="sample-b", clip_id="clip-b", start=1, share=0.3)
    made = [sample().copied(1), sample().copied(2), sample().copied(1, partner)]
    assert len({row.sample_id for row in [sample(), *made]}) == 4
    assert {row.origin for row in made} == {"sample-a"}
    assert made[2].partner == partner
    assert sample().copied(1) == made[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"side": "left"}, "side"), ({"colour": 1}, "colour"), ({"start": "soon"}, "start")],
)
def test_a_row_that_does_not_fit_names_its_field(change, said):
    with pytest.raises(StageError, match=f"a Sample row does not fit its format: {said}: "):
        Sample.parse(sample().row() | change)
