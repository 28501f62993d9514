from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.records import FaceTrack, Person
from pipeline.splits.groups import age_band, draw_families, families, group_clips, ties

DISPLAYS = ["FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R"]


def avatar(identity, label, sex="female", age=30.0):
    person = Person(identity_id=f"id-{identity:02}", age=age, sex=sex, ethnicity=None)
    clip = f"clip-{identity:02}-{label}"
    return FaceTrack(
        clip_id=clip, kind="avatar", label=label, identity_id=person.identity_id,
        portrait_id=None, driving_clip_id=clip, person=person, detector="haar",
        boxes=[[0, 0, 9, 9]] * 16, cohort="cast", trained=True,
    )  # fmt: skip


def transfer(number, driver, seen):
    person = Person(identity_id=seen, age=None, sex=None, ethnicity=None)
    return FaceTrack(
        clip_id=f"transfer-{number:02}", kind="transfer", label=driver.label,
        identity_id=driver.identity_id, portrait_id=f"portrait-{seen}",
        driving_clip_id=driver.clip_id, person=person, detector="haar", boxes=driver.boxes,
        cohort="cast", trained=True,
    )  # fmt: skip


def corpus(identities=25, transfers=51):
    clips = [
        avatar(i, d, ("female", "male")[i % 2], 25.0 + 2 * i)
        for i in range(identities)
        for d in DISPLAYS
    ]
    return clips + [
        transfer(n, clips[5 * (n % identities) + n % 5], f"still-{n:02}") for n in range(transfers)
    ]


@st.composite
def tracks(draw):
    clips = [avatar(i, d) for i in range(draw(st.integers(2, 6))) for d in DISPLAYS]
    pairs = draw(st.lists(st.tuples(st.integers(0, len(clips) - 1), st.integers(0, 3)), max_size=8))
    return clips + [transfer(n, clips[c], f"still-{p}") for n, (c, p) in enumerate(pairs)]


@given(tracks())
def test_no_tie_crosses_groups(clips):
    groups = group_clips(clips)
    owner = {}
    for track in clips:
        for kind, names in ties(track).items():
            for name in names:
                assert (
                    owner.setdefault((kind, name), groups[track.clip_id]) == groups[track.clip_id]
                )


@given(tracks(), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_order(clips, random):
    shuffled = random.sample(clips, len(clips))
    assert group_clips(shuffled) == group_clips(clips)


def test_a_portrait_ties_two_drivers_together():
    clips = [avatar(0, "FD1"), avatar(1, "FD1"), avatar(2, "FD1")]
    shared = [transfer(0, clips[0], "s"), transfer(1, clips[1], "s")]
    groups = group_clips(clips + shared)
    assert groups["clip-00-FD1"] == groups["clip-01-FD1"] == "id-00"
    assert groups["clip-02-FD1"] == "id-02"


def test_a_photograph_of_an_avatar_identity_ties_to_it():
    clips = [avatar(0, "FD1"), avatar(1, "FD1")]
    groups = group_clips([*clips, transfer(0, clips[1], "id-00")])
    assert len(set(groups.values())) == 1


def test_published_corpus_has_one_group_an_identity():
    groups = group_clips(corpus())
    assert len(groups) == 176
    assert len(set(groups.values())) == 25


def test_test_groups_are_near_the_fraction_and_alike_to_the_whole():
    clips = corpus()
    groups = group_clips(clips)
    chosen = draw_families(clips, groups, 0.15, seed=3)
    tested = [c for c in clips if groups[c.clip_id] in chosen]
    assert abs(len(tested) - 0.15 * 176) <= 2
    labels = Counter(c.label for c in tested)
    assert set(labels) == set(DISPLAYS)
    assert np.ptp(list(labels.values())) <= 3
    assert {c.person.sex for c in tested if c.kind == "avatar"} == {"female", "male"}


@settings(max_examples=20, deadline=None)
@given(tracks(), st.integers(0, 2**62))
def test_draw_leaves_groups_on_both_sides_and_repeats(clips, seed):
    groups = group_clips(clips)
    names = set(groups.values())
    if len(names) < 2:
        with pytest.raises(StageError, match="two unrelated groups"):
            draw_families(clips, groups, 0.15, seed)
        return
    chosen = draw_families(clips, groups, 0.15, seed)
    assert set() < chosen < names
    assert draw_families(clips, groups, 0.15, seed) == chosen


def test_no_clips_no_groups():
    assert group_clips([]) == {}


def test_age_bands():
    bands = [age_band(age) for age in (18.0, 39.9, 40.0, 59.9, 60.0, 90.0, None)]
    assert bands == ["under 40"] * 2 + ["40 to 59"] * 2 + ["60+"] * 2 + ["unknown"]


@pytest.mark.parametrize(("together", "count"), [("clip", 176), ("person", 76), ("group", 25)])
def test_a_clip_stays_with_itself_its_person_or_its_group(together, count):
    names = families(corpus(), together)
    assert len(names) == 176
    assert len(set(names.values())) == count
