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
from pipeline.study import read_study
from pipeline.workspace import Workspace

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


def test_counts_are_the_published_ones(rows):
    assert Counter(row.expression for row in of(rows, ClipPlan)) == dict.fromkeys(
        ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R"), 25
    )
    assert len(of(rows, PortraitPlan)) == len(of(rows, TransferPlan)) == 51


def test_the_plan_of_record_is_planned_again(rows):
    """What is shown is the committed table's, whatever else a row says of its study."""
    table = Workspace(root=ROOT).plan
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


def test_scene_does_not_know_the_class(rows):
    """Another arm's expression in a person's place meets the same camera, light and timing."""
    swapped = MAIN.model_copy(update={
        "arms": [arm.model_copy(update={"label": f"other-{arm.label}"}) for arm in MAIN.arms]
    })  # fmt: skip
    scenes = {c.key: (c.scene, c.seed) for c in of(rows, ClipPlan)}
    assert all(
        scenes[c.key] == (c.scene, c.seed)
        for c in of(make_plan(swapped, Params(), REGISTER), ClipPlan)
    )
