from collections import Counter
from pathlib import Path

import pytest

from pipeline.errors import ParamsError
from pipeline.files import write_jsonl
from pipeline.params import Params
from pipeline.plan import make_plan
from pipeline.planned import read_plan
from pipeline.records import ClipPlan, PortraitPlan, TransferPlan

REGISTER = Path(__file__).parents[2] / "portraits" / "register.csv"


@pytest.fixture(scope="module")
def rows():
    return make_plan(Params(), REGISTER)


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


def test_same_params_same_bytes(rows, tmp_path):
    for name, table in (("a", rows), ("b", make_plan(Params(), REGISTER))):
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


def test_reseeding_changes_one_person_alone(rows):
    before = {c.key: c for c in of(rows, ClipPlan)}
    after = of(make_plan(with_plan(reseed={3: 1}), REGISTER), ClipPlan)
    changed = [c for c in after if before.get(c.key) != c]
    assert {c.key.split("/")[0] for c in changed} == {"3"}
    assert len(changed) == 5


def test_scene_does_not_know_the_class(rows):
    swapped = of(make_plan(with_plan(expressions=["FD1"]), REGISTER), ClipPlan)
    scenes = {c.key: c.scene for c in of(rows, ClipPlan)}
    assert all(scenes[c.key] == c.scene for c in swapped)


def test_unknown_expression_names_the_nearest():
    with pytest.raises(ParamsError, match="no expression 'FD3_L'; the nearest is 'FD3-L'"):
        make_plan(with_plan(expressions=["FD3_L"]), REGISTER)


def test_clip_too_short_for_its_expression_is_refused():
    with pytest.raises(ParamsError, match="8 frames at 8 fps"):
        make_plan(with_plan(frames=8), REGISTER)
