"""Clips as the arms of a study ask for them: conditions, severities, signs, cameras, passes."""

from pathlib import Path

import pytest

from pipeline.corpus.plan import make_plan
from pipeline.errors import StudyError
from pipeline.params import Params
from pipeline.records import ClipPlan
from pipeline.study import parse_study, read_study

ROOT = Path(__file__).parents[3]
REGISTER = ROOT / "portraits" / "register.csv"
MAIN = read_study(ROOT / "studies" / "deterioration" / "study.yaml")
SIDES = ["full-left", "straight", {"azimuth": [-60, -30], "elevation": [-20, 20]}]


def of(rows, kind):
    return [row for row in rows if isinstance(row, kind)]


def with_plan(**changes):
    params = Params()
    return params.model_copy(update={"plan": params.plan.model_copy(update=changes)})


def ill(*conditions, **changes):
    """Four people who smile and blink under some conditions; they and two more rest."""
    arm = {"label": "weak", "cohorts": ["cast"], "expressions": ["smiling", "blink"]}
    well = {"label": "well", "cohorts": ["cast", "others"], "expressions": ["neutral"]}
    values = {
        "name": "ill", "title": "", "question": "", "cohorts": {"others": 2, "cast": 4},
        "arms": [arm | {"conditions": list(conditions)} | changes, well],
        "tasks": {"diagnosis": {}}, "models": {"convlstm": {}},
        "protocols": {
            "half": {"unit": "clip", "together": "person", "test": 0.5, "leaky": False},
        },
    }  # fmt: skip
    return parse_study(values, "ill")


def planned(study, params=None):
    return of(make_plan(study, params or Params(), REGISTER), ClipPlan)


def weak(study, params=None):
    return [clip for clip in planned(study, params) if clip.label == "weak"]


def test_a_label_is_the_arms_and_changes_no_clip():
    one, other = ill(), ill(label="frail")
    assert [c.clip_id for c in planned(one)] == [c.clip_id for c in planned(other)]
    assert {c.label for c in planned(other)} == {"frail", "well"}


def test_cohorts_follow_each_other():
    people = {c.cohort: set() for c in planned(ill())}
    for clip in planned(ill()):
        people[clip.cohort].add(clip.key.split("/")[0])
    assert people == {"others": {"0", "1"}, "cast": {"2", "3", "4", "5"}}


def test_a_fixed_severity_is_on_the_clip_and_in_its_key():
    clips = weak(ill({"kind": "palsy", "severity": 0.4, "side": "left"}))
    assert {c.key for c in clips if c.key.startswith("2/")} == {
        "2/smiling+palsy:0.4-left", "2/blink+palsy:0.4-left",
    }  # fmt: skip
    for clip in clips:
        assert clip.targets == {"severity": 0.4}
        assert clip.conditions == [{"kind": "palsy", "severity": 0.4, "side": "left"}]


def test_a_severity_is_drawn_once_a_person_or_once_a_clip():
    drawn = {"kind": "myasthenia", "severity": [0.1, 0.9]}
    for once, count in (("person", 4), ("clip", 8)):
        clips = weak(ill(drawn | {"drawn_per": once}))
        severities = {(c.targets["severity"], c.conditions[0]["side"]) for c in clips}
        assert len(severities) == count
        assert all(0.1 <= severity <= 0.9 for severity, _ in severities)
    sides = {c.conditions[0]["side"] for c in weak(ill(drawn | {"drawn_per": "clip"}, repeats=4))}
    assert sides == {"left", "right"}


def test_two_severities_of_one_arm_are_two_clips():
    kind = {"kind": "myasthenia", "side": "left"}
    mild, severe = (weak(ill(kind | {"severity": severity})) for severity in (0.3, 0.6))
    assert not {c.clip_id for c in mild} & {c.clip_id for c in severe}
    assert not {c.key for c in mild} & {c.key for c in severe}


def test_two_sides_of_one_severity_have_two_keys():
    kind = {"kind": "palsy", "severity": 0.5}
    left, right = (weak(ill(kind | {"side": side})) for side in ("left", "right"))
    assert not {c.key for c in left} & {c.key for c in right}


def test_several_conditions_are_targets_by_name_too():
    study = ill({"kind": "palsy", "severity": 0.2}, {"kind": "hypomimia", "severity": 0.7})
    assert weak(study)[0].targets == {"severity": 0.7, "palsy": 0.2, "hypomimia": 0.7}


def test_repeats_differ_in_scene_and_timing_but_not_in_person():
    clips = [c for c in weak(ill(repeats=3)) if c.key.startswith("2/blink")]
    assert [c.key for c in clips] == ["2/blink", "2/blink.1", "2/blink.2"]
    assert len({c.seed for c in clips}) == len({str(c.scene) for c in clips}) == 3
    assert len({c.person.identity_id for c in clips}) == 1


def test_an_arm_that_is_only_asked_about_says_so():
    study = ill(trained=False)
    study = study.model_copy(update={"arms": [*study.arms, study.arms[1].model_copy(
        update={"label": "calm", "expressions": ["talking"]})]})  # fmt: skip
    assert {c.trained for c in planned(study) if c.label == "weak"} == {False}
    assert {c.trained for c in planned(study) if c.label != "weak"} == {True}


def test_one_clip_of_two_arms_is_refused():
    with pytest.raises(StudyError, match=r"arms weak and well plan the same clip \(2/neutral\)"):
        planned(ill(expressions=["neutral"]))


def test_signs_and_occluders_are_on_the_clip_and_in_its_key():
    clips = weak(ill(signs={"pallor": 0.4}, occluders={"glasses": 1.0}))
    assert clips[0].key == "2/smiling+pallor:0.4+glasses"
    assert {tuple(clip.signs.items()) for clip in clips} == {(("pallor", 0.4),)}
    assert all(clip.occluders == ["glasses"] for clip in clips)


def test_signs_of_a_range_and_shares_of_occluders_are_drawn_once_a_clip():
    clips = weak(ill(signs={"flush": [0.2, 0.9]}, occluders={"pillow": 0.5}, repeats=4))
    assert len({clip.signs["flush"] for clip in clips}) > 20
    assert all(0.2 <= clip.signs["flush"] <= 0.9 for clip in clips)
    assert 8 < sum("pillow" in clip.occluders for clip in clips) < 24


def test_rows_without_signs_say_nothing_of_them():
    assert not {"signs", "occluders"} & set(weak(ill())[0].row())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"signs": {"palor": 0.5}}, "no sign 'palor'; the nearest is 'pallor'"),
        ({"occluders": {"glases": 1}}, "no occluder 'glases'; the nearest is 'glasses'"),
        (
            {"occluders": {"eye_pads": 1}},
            "eye_pads hides unit 43, which blink shows and the label 'weak' needs",
        ),
    ],
)
def test_what_nobody_can_wear_is_refused(changes, sentence):
    with pytest.raises(StudyError, match=sentence):
        planned(ill(**changes))


def test_signs_outside_their_range_are_refused():
    with pytest.raises(StudyError, match=r"signs.sweat"):
        ill(signs={"sweat": 1.5})
    with pytest.raises(StudyError, match=r"signs.sweat goes from 0.9 to 0.1; swap them"):
        ill(signs={"sweat": [0.9, 0.1]})


def test_unknown_expression_names_the_nearest():
    with pytest.raises(StudyError, match="no expression 'FD3_L'; the nearest is 'FD3-L'"):
        planned(ill(expressions=["FD3_L"]))


def test_cameras_see_one_performance_and_their_keys_tell_them_apart():
    alone, seen = weak(ill()), weak(ill(cameras=SIDES))
    assert len(seen) == 3 * len(alone)
    for number, clip in enumerate(alone):
        views = seen[3 * number : 3 * number + 3]
        assert {view.seed for view in views} == {clip.seed}
        assert {view.identity["age"] for view in views} == {clip.identity["age"]}
        assert [view.scene["lights"] for view in views] == [clip.scene["lights"]] * 3
        assert [view.scene["camera"]["azimuth"] for view in views[:2]] == [90.0, 0.0]
        drawn = views[2].scene["camera"]
        assert -60 <= drawn["azimuth"] <= -30
        assert -20 <= drawn["elevation"] <= 20
        assert [view.key for view in views] == [
            f"{clip.key}@90,0", f"{clip.key}@0,0",
            f"{clip.key}@{drawn['azimuth']:g},{drawn['elevation']:g}",
        ]  # fmt: skip
        assert len({view.clip_id for view in views}) == 3
    assert seen == weak(ill(cameras=SIDES))
    angles = {view.scene["camera"]["azimuth"] for view in seen[2::3]}
    assert len(angles) == len(alone)


def test_arms_without_cameras_are_as_they_were():
    assert weak(ill()) == weak(ill(cameras=[]))


def test_passes_are_asked_for_by_arm_or_for_all_and_change_no_clip():
    base = planned(ill())
    arm = planned(ill(passes=["flow"]))
    every = planned(ill(passes=["flow"]), with_plan(passes=["depth"]))
    assert [clip.clip_id for clip in base] == [clip.clip_id for clip in arm]
    assert {tuple(clip.passes) for clip in arm if clip.label == "weak"} == {("flow",)}
    assert {tuple(clip.passes) for clip in arm if clip.label == "well"} == {()}
    assert {tuple(clip.passes) for clip in every} == {("depth", "flow"), ("depth",)}
    assert "passes" not in base[0].row()
    assert ClipPlan.parse(every[0].row()) == every[0]


def test_fatigue_makes_repeats_worse_and_leaves_the_target():
    values = {
        "name": "tiring", "title": "T", "question": "Q?", "cohorts": {"cast": 2},
        "arms": [
            {"label": "well", "cohorts": ["cast"], "expressions": ["anger"]},
            {"label": "ill", "cohorts": ["cast"], "expressions": ["anger"], "repeats": 3,
             "conditions": [{"kind": "myasthenia", "severity": [0.2, 0.9], "fatigue": 0.25}]},
        ],
        "tasks": {"diagnosis": {"positive": "ill"}},
        "protocols": {"half": {"unit": "clip", "together": "person", "test": 0.5, "leaky": False}},
        "models": {"framecnn": {}},
    }  # fmt: skip
    rows = make_plan(parse_study(values, "tiring"), Params(), REGISTER)
    for person in {row.person.identity_id for row in rows}:
        ill = [r for r in rows if r.label == "ill" and r.person.identity_id == person]
        drawn = {row.targets["severity"] for row in ill}
        assert len(drawn) == 1
        first = drawn.pop()
        assert [row.conditions[0]["severity"] for row in ill] == [
            pytest.approx(min(1.0, first + 0.25 * repeat), abs=1e-3) for repeat in range(3)
        ]
