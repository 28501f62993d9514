from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipeline.corpus.plan import make_plan
from pipeline.corpus.planned import read_plan
from pipeline.errors import ParamsError, StudyError
from pipeline.files import read_jsonl, write_jsonl
from pipeline.params import Params, parse_params
from pipeline.records import ClipPlan, Planned, PortraitPlan, TransferPlan
from pipeline.study import parse_study, read_study

ROOT = Path(__file__).parents[3]
REGISTER = ROOT / "portraits" / "register.csv"
MAIN = read_study(ROOT / "studies" / "deterioration" / "study.yaml")


@pytest.fixture(scope="module")
def rows():
    return make_plan(MAIN, Params(), REGISTER)


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


def test_counts_are_the_published_ones(rows):
    assert Counter(row.expression for row in of(rows, ClipPlan)) == dict.fromkeys(
        ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R"), 25
    )
    assert len(of(rows, PortraitPlan)) == len(of(rows, TransferPlan)) == 51


def test_the_plan_of_record_is_planned_again(rows):
    """What is shown is the committed table's, whatever else a row says of its study."""
    table = next(ROOT.glob("data/**/plan.jsonl"))
    ours, theirs = ([_shown(row) for row in made] for made in
                    ((row.row() for row in rows), read_jsonl(table)))  # fmt: skip
    assert ours == theirs


def _shown(row):
    shown = {name: value for name, value in row.items() if name not in Planned.model_fields}
    return shown | {"clip": _shown(row["clip"])} if row.get("clip") else shown


def test_same_params_same_bytes(rows, tmp_path):
    for name, table in (("a", rows), ("b", make_plan(MAIN, Params(), REGISTER))):
        write_jsonl(tmp_path / name, [row.row() for row in table])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_table_is_read_back_as_it_was(rows, tmp_path):
    write_jsonl(tmp_path / "plan.jsonl", [row.row() for row in rows])
    plan = read_plan(tmp_path / "plan.jsonl")
    assert [*plan.clips, *plan.portraits, *plan.transfers] == rows


def test_ids_are_unique_and_nobody_is_both_avatar_and_portrait(rows):
    clips, portraits = of(rows, ClipPlan), of(rows, PortraitPlan)
    assert len({c.clip_id for c in clips}) == 125
    assert len({p.portrait_id for p in portraits}) == 51
    avatars = {c.person.identity_id for c in clips}
    assert len(avatars) == 25
    assert avatars.isdisjoint(p.person.identity_id for p in portraits)


def test_drivers_take_turns_so_groups_stay_small(rows):
    driver = {c.clip_id: c.person.identity_id for c in of(rows, ClipPlan)}
    turns = Counter(driver[t.driving_clip_id] for t in of(rows, TransferPlan))
    assert set(turns.values()) <= {2, 3}


def test_a_transfer_is_what_its_driving_clip_is(rows):
    clips = {c.clip_id: c for c in of(rows, ClipPlan)}
    for row in of(rows, TransferPlan):
        driver = clips[row.driving_clip_id]
        assert (row.label, row.cohort, row.trained) == (driver.label, "cast", True)


def test_reseeding_changes_one_person_alone(rows):
    before = {c.key: c for c in of(rows, ClipPlan)}
    after = of(make_plan(MAIN, with_plan(reseed={3: 1}), REGISTER), ClipPlan)
    changed = [c for c in after if before.get(c.key) != c]
    assert {c.key.split("/")[0] for c in changed} == {"3"}
    assert len(changed) == 5


def test_scene_does_not_know_the_class(rows):
    """Another arm's expression in a person's place meets the same camera, light and timing."""
    swapped = MAIN.model_copy(update={
        "arms": [arm.model_copy(update={"label": f"other-{arm.label}"}) for arm in MAIN.arms]
    })  # fmt: skip
    scenes = {c.key: (c.scene, c.seed) for c in of(rows, ClipPlan)}
    assert all(scenes[c.key] == (c.scene, c.seed) for c in planned(swapped))


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


def test_clip_too_short_for_its_expression_is_refused():
    with pytest.raises(StudyError, match="8 frames at 8 fps"):
        make_plan(MAIN, with_plan(frames=8), REGISTER)


def test_an_excluded_portrait_leaves_every_other_row_alone(rows):
    gone = of(rows, PortraitPlan)[7]
    after = make_plan(MAIN, with_plan(exclude=[gone.portrait_id]), REGISTER)
    lost = [row for row in rows if row not in after]
    assert [row for row in after if row not in rows] == []
    assert {row.portrait_id for row in lost} == {gone.portrait_id}
    assert len(lost) == 2


def test_an_excluded_identity_hands_its_portraits_to_the_next(rows):
    gone = of(rows, ClipPlan)[15].person.identity_id
    after = make_plan(MAIN, with_plan(exclude=[gone]), REGISTER)
    assert gone not in {c.person.identity_id for c in of(after, ClipPlan)}
    assert len(of(after, ClipPlan)) == 120
    assert len(of(after, TransferPlan)) == 51
    assert len([row for row in of(after, TransferPlan) if row not in rows]) in (2, 3)
    assert {t.driving_clip_id for t in of(after, TransferPlan)} <= {
        c.clip_id for c in of(after, ClipPlan)
    }


def test_a_photograph_that_left_the_register_is_followed_by_one_more_still(rows, tmp_path):
    bare = tmp_path / "register.csv"
    bare.write_text(REGISTER.read_text().splitlines()[0] + "\n")
    after = make_plan(MAIN, Params(), bare)
    lost = [row for row in rows if row not in after]
    new = [row for row in after if row not in rows]
    assert len(lost) == len(new) == 2
    assert [row.key for row in new if isinstance(row, PortraitPlan)] == ["portrait/50"]


def test_the_last_identity_cannot_be_excluded(rows):
    everybody = sorted({c.person.identity_id for c in of(rows, ClipPlan)})
    with pytest.raises(ParamsError, match=r"plan\.exclude leaves no identity"):
        make_plan(MAIN, with_plan(exclude=everybody), REGISTER)


def test_an_excluded_name_that_is_no_id_is_refused():
    with pytest.raises(ParamsError, match=r"plan\.exclude"):
        parse_params({"plan": {"exclude": ["astronaut"]}})


def test_pictures_of_one_person_are_one_identity_and_the_first_id_names_them(tmp_path):
    header, astronaut = REGISTER.read_text().splitlines()
    (tmp_path / "b.png").write_bytes(b"another picture")
    (tmp_path / "register.csv").write_text(
        f"{header},person\n{astronaut},\nb,b.png,CC0-1.0,written 2025-03-01,,female,,,astronaut\n"
    )
    rows = of(make_plan(MAIN, Params(), tmp_path / "register.csv"), PortraitPlan)
    people = {row.key: row.person.identity_id for row in rows if row.file}
    alone = of(make_plan(MAIN, Params(), REGISTER), PortraitPlan)
    assert set(people) == {"photo/astronaut", "photo/b"}
    assert set(people.values()) == {r.person.identity_id for r in alone if r.file}


def test_the_day_on_which_consent_is_asked_is_in_no_row(rows):
    assert make_plan(MAIN, Params(), REGISTER, date(2026, 1, 1)) == rows


SIDES = ["full-left", "straight", {"azimuth": [-60, -30], "elevation": [-20, 20]}]


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
