from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StageError, StudyError
from pipeline.splits.copies import straddling
from pipeline.splits.split import cut, split
from pipeline.study import Input, parse_study

PUBLISHED = {"unit": "window", "together": "nothing", "test": 0.15, "leaky": True}
CLEAN = {"unit": "clip", "together": "group", "test": 0.15, "leaky": False}


def study_of(protocols=None, **view):
    """A study whose labels and people are those of the tracks it is given."""
    return parse_study({
        "name": "s", "title": "", "question": "", "cohorts": {"cast": 12, "others": 4},
        "arms": [{"label": "FD1", "cohorts": ["cast"], "expressions": ["FD1"]}],
        "input": view, "tasks": {"display": {}}, "models": {"convlstm": {}},
        "protocols": protocols or {"published": PUBLISHED, "clean": CLEAN},
    }, "s")  # fmt: skip


def sides_of(rows, what):
    return {side: {what(s) for s in rows if s.side == side} for side in {s.side for s in rows}}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62), st.integers(4, 16), st.integers(1, 8), st.integers(7, 9))
def test_both_protocols_hold_the_same_windows_once(people, seed, window, stride, identities):
    splits = split(people(identities), study_of(frames=window, stride=stride), seed)
    keys = {p: [(s.sample_id, s.clip_id, s.start) for s in rows] for p, rows in splits.items()}
    assert keys["published"] == keys["clean"]
    assert len(set(keys["clean"])) == len(keys["clean"])
    assert len(keys["clean"]) == 5 * identities * len(range(0, 16 - window + 1, stride))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62), st.integers(2, 8))
def test_clean_shares_no_group_and_fills_both_sides(people, seed, identities):
    sides = sides_of(split(people(identities), study_of(), seed)["clean"], lambda s: s.group)
    assert set(sides) == {"train", "test"}
    assert not sides["train"] & sides["test"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62))
def test_published_is_stratified_over_windows(people, seed):
    rows = split(people(), study_of(), seed)["published"]
    counts = Counter(s.label for s in rows if s.side == "test")
    assert sum(counts.values()) == 81  # 15 % of 540
    assert set(counts.values()) <= {16, 17}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**62), st.sampled_from(["clip", "person"]))
def test_a_fraction_of_clips_or_persons_keeps_each_whole(people, seed, together):
    rules = {"unit": "clip", "together": together, "test": 0.25, "leaky": together == "clip"}
    rows = split(people(), study_of({"p": rules}), seed)["p"]
    sides = sides_of(rows, lambda s: s.clip_id if together == "clip" else s.group)
    assert not sides["train"] & sides["test"]
    assert len({s.clip_id for s in rows if s.side == "test"}) == pytest.approx(15, abs=3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**62), st.integers(2, 5), st.integers(1, 3))
def test_folds_test_each_window_once_a_repeat_and_share_no_person(people, seed, folds, repeats):
    rules = {"unit": "clip", "together": "person", "folds": folds, "repeats": repeats,
             "leaky": False}  # fmt: skip
    splits = split(people(), study_of({"p": rules}), seed)
    assert list(splits) == [f"p-{n}" for n in range(1, folds * repeats + 1)]
    tested = Counter(s.sample_id for rows in splits.values() for s in rows if s.side == "test")
    assert len(tested) == 540
    assert set(tested.values()) == {repeats}
    for rows in splits.values():
        sides = sides_of(rows, lambda s: s.group)
        assert not sides["train"] & sides["test"]


def test_repeats_are_drawn_anew(people):
    rules = {"unit": "clip", "together": "person", "folds": 2, "repeats": 2, "leaky": False}
    splits = split(people(), study_of({"p": rules}), 3)
    tested = {n: frozenset(s.group for s in rows if s.side == "test") for n, rows in splits.items()}
    assert tested["p-1"] not in (tested["p-3"], tested["p-4"])


def test_folds_of_windows_are_stratified(people):
    rules = {"unit": "window", "together": "nothing", "folds": 3, "leaky": True}
    for rows in split(people(), study_of({"p": rules}), 3).values():
        assert Counter(s.label for s in rows if s.side == "test") == dict.fromkeys(
            sorted({s.label for s in rows}), 36
        )


def test_a_cohort_is_held_out_whole(people):
    tracks = people(8) + people(4, cohort="others", first=8)
    rules = {"unit": "clip", "together": "person", "test_cohorts": ["others"], "leaky": False}
    sides = sides_of(split(tracks, study_of({"p": rules}), 3)["p"], lambda s: s.group)
    assert sides["test"] == {f"id-{n:02}" for n in range(8, 12)}
    assert sides["train"] == {f"id-{n:02}" for n in range(8)}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**62))
@pytest.mark.parametrize(
    ("unit", "together", "counts"),
    [
        ("person", "person", (6, 2, 3)),
        ("clip", "group", (30, 10, 15)),
        ("clip", "clip", (31, 11, 7)),
        ("window", "nothing", (301, 17, 93)),
    ],
)
def test_counts_fill_three_sides(people, unit, together, counts, seed):
    named = dict(zip(("train", "validation", "test"), counts, strict=True))
    rules = {"unit": unit, "together": together, "counts": named,
             "leaky": together in ("nothing", "clip")}  # fmt: skip
    rows = split(people(), study_of({"p": rules}), seed)["p"]
    names = {"person": lambda s: s.group, "clip": lambda s: s.clip_id,
             "window": lambda s: s.sample_id}  # fmt: skip
    sides = sides_of(rows, names[unit])
    assert {side: len(held) for side, held in sides.items()} == named
    kept = sides_of(rows, names["person" if together == "group" else unit])
    assert sum(map(len, kept.values())) == len(set().union(*kept.values()))


def test_counts_that_leave_a_side_empty_are_refused(people):
    counts = {"train": 60, "validation": 1, "test": 1}
    rules = {"unit": "clip", "together": "person", "counts": counts, "leaky": False}
    with pytest.raises(StageError, match="too few clips for the counts"):
        split(people(), study_of({"p": rules}), 3)


@pytest.mark.parametrize("together", ["person", "nothing"])
def test_what_is_never_trained_on_is_asked_about_where_nobody_was_learnt(people, together):
    tracks = people(12) + people(12, labels=("odd",), trained=False)
    rules = CLEAN | {"together": together, "leaky": together == "nothing"}
    rows = split(tracks, study_of({"p": rules}), 3)["p"]
    odd = [s for s in rows if s.label == "odd"]
    assert {s.side for s in odd} == {"test"}
    learnt = {s.group for s in rows if s.side == "train"}
    if together == "person":
        assert {s.group for s in odd}.isdisjoint(learnt)
        assert {s.group for s in odd} == {s.group for s in rows if s.side == "test"}
    else:
        assert len({s.group for s in odd}) == 12


def test_arms_that_are_only_asked_about_move_nobody(people):
    alone = split(people(), study_of(), 3)
    asked = split(people() + people(labels=("odd",), trained=False), study_of(), 3)
    for draw, rows in alone.items():
        assert [s for s in asked[draw] if s.label != "odd"] == rows


def test_a_sample_names_its_subjects_window_of_the_reference_arm(people):
    view = Input(frames=8, reference="FD1")
    rows = list(cut(people(3), view))
    assert {s.label for s in rows} == {"FD2-L", "FD2-R", "FD3-L", "FD3-R"}
    for row in rows:
        assert row.reference.clip_id == f"clip-{row.group[-2:]}-FD1"
        assert row.reference.start == row.start


def test_who_has_no_reference_clip_is_left_out(people):
    tracks = [t for t in people(3) if t.clip_id != "clip-01-FD1"]
    assert {s.group for s in cut(tracks, Input(reference="FD1"))} == {"id-00", "id-02"}


def test_targets_travel_from_track_to_sample(people):
    tracks = [t.model_copy(update={"targets": {"severity": 0.4}}) for t in people()]
    rows = split(tracks, study_of(), 3)["clean"]
    assert {s.targets["severity"] for s in rows} == {0.4}
    assert "targets" in rows[0].row()
    assert "targets" not in split(people(), study_of(), 3)["clean"][0].row()


def test_windows_fit_their_clip(people):
    for sample in split(people(), study_of(stride=3), 1)["clean"]:
        assert sample.start % 3 == 0
        assert 0 <= sample.start <= 16 - sample.length


def test_same_seed_same_rows_whatever_the_order_of_clips(people):
    assert split(people()[::-1], study_of(), 5) == split(people(), study_of(), 5)
    assert split(people(), study_of(), 6) != split(people(), study_of(), 5)


@pytest.mark.parametrize(
    ("count", "frames", "kept", "says"),
    [
        (0, 16, 0, "no clip was kept"),
        (1, 16, 5, "two unrelated groups"),
        (12, 6, 60, "has only 6"),
        (2, 8, 6, "too few to split"),
    ],
)
def test_too_little_is_said_in_one_sentence(people, count, frames, kept, says):
    with pytest.raises(StageError, match=says):
        split(people(count, frames=frames)[:kept], study_of(), 0)


def test_too_few_people_for_folds_are_said(people):
    rules = {"unit": "clip", "together": "person", "folds": 5, "leaky": False}
    with pytest.raises(StageError, match="4 persons are too few for 5 folds"):
        split(people(4), study_of({"p": rules}), 0)


COPIED = PUBLISHED | {"copies": 0.25}


def test_copies_are_made_before_the_split_and_straddle_it(people):
    rows = split(people(), study_of({"p": COPIED}), 3)["p"]
    plain = split(people(), study_of({"p": PUBLISHED}), 3)["p"]
    copies = [s for s in rows if s.origin]
    assert Counter(s.label for s in copies) == dict.fromkeys({s.label for s in rows}, 27)  # of 108
    side = {s.sample_id: s.side for s in rows}
    assert len(side) == len(rows) == len(plain) + len(copies)
    assert {s.sample_id for s in rows if not s.origin} == {s.sample_id for s in plain}
    shared = sum((side[s.origin] == "test") != (s.side == "test") for s in copies)
    assert straddling(rows) == {"pairs": 135, "shared": shared}
    assert 0 < shared < 135
    assert straddling(plain) == {"pairs": 0, "shared": 0}


def test_copies_are_refused_where_anything_is_held_together():
    for rules in (CLEAN, {**CLEAN, "together": "clip", "leaky": True}):
        with pytest.raises(StudyError, match="copies stand on any side, but it holds"):
            study_of({"p": rules | {"copies": 0.25}})
