from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatars.conditions import KINDS
from avatars.expression import hold, names
from avatars.units import UNITS
from avatars.worker import parse_spec
from pipeline.corpus import gallery
from pipeline.corpus.gallery import SEVERITIES, SHEETS, TASKS, draw_sheet, make_sheet, plan_sheet
from pipeline.errors import ParamsError
from pipeline.params import Params
from pipeline.study import read_study

SIZE = 32
MAIN = read_study(Path(__file__).parents[3] / "studies" / "deterioration" / "study.yaml")


def planned(kind, people=None, size=SIZE, study=MAIN):
    return plan_sheet(kind, study, Params(), people, size)


def numbered(sheet):
    """Clips whose frames are each of one grey: clip number and frame number in red and green."""
    for number, spec in enumerate(sheet.specs):
        frames = np.zeros((spec["frames"], SIZE, SIZE, 3), np.uint8)
        frames[..., 0] = number
        frames[..., 1] = np.arange(spec["frames"])[:, None, None]
        yield frames


def cells(sheet):
    return [cell for panel in sheet.panels for _, row in panel.rows for cell in row if cell]


@pytest.mark.parametrize("kind", SHEETS)
def test_every_sheet_can_be_rendered_and_drawn(kind):
    sheet = planned(kind, 2)
    for spec in sheet.specs:
        parse_spec(spec).check()
        hold(spec["stills"])
    page = draw_sheet(sheet, list(numbered(sheet)))
    assert page.dtype == np.uint8
    assert page.shape[2] == 3


@pytest.mark.parametrize("kind", SHEETS)
def test_no_frame_is_rendered_that_no_cell_shows_but_for_the_first_of_a_pair(kind):
    sheet = planned(kind, 1)
    rendered = sum(spec["frames"] for spec in sheet.specs)
    shown = len(set(cells(sheet)))
    assert rendered == (2 * shown if kind == "conditions" else shown)


def test_people_sheet_shows_each_person_once():
    sheet = planned("people")
    assert sorted(cell.clip for cell in cells(sheet)) == list(range(25))
    assert len({str(spec["identity"]) for spec in sheet.specs}) == 25


def test_units_sheet_shows_every_side_of_every_unit():
    sheet = planned("units")
    shown = [sheet.specs[cell.clip]["stills"][cell.frame] for cell in cells(sheet)]
    assert len(shown) == sum(3 if unit.paired else 1 for unit in UNITS.values())
    assert {"12": [1.0, 0.0]} in shown
    assert {"25": [1.0, 1.0]} in shown


def test_arms_sheet_holds_the_middle_of_each_range():
    sheet = planned("arms", 3)
    assert sheet.panels[0].columns == MAIN.labels
    assert len(sheet.specs) == 3 * len(MAIN.labels)
    [still] = sheet.specs[MAIN.labels.index("FD3-L")]["stills"]
    assert still["51"][0] == still["51"][1] > 0.5
    assert still["43"][0] > 0.9


def test_arms_sheet_shows_conditions_at_their_middle_severity():
    weak = {"kind": "myasthenia", "severity": (0.2, 0.6)}
    arm = {"label": "weak", "cohorts": ["cast"], "conditions": [weak],
           "expressions": ["happiness", "fear"]}  # fmt: skip
    arms = [*MAIN.arms, type(MAIN.arms[0]).model_validate(arm)]
    sheet = planned("arms", 1, study=MAIN.model_copy(update={"arms": arms}))
    columns = [name for panel in sheet.panels for name in panel.columns if name]
    assert columns == [*MAIN.labels, "weak: happiness", "weak: fear"]
    assert sheet.specs[-1]["conditions"] == [
        {"kind": "myasthenia", "severity": 0.4, "side": "left"}
    ]
    assert cells(sheet)[-1].frame == 1


def test_expressions_sheet_names_all():
    sheet = planned("expressions", 1)
    columns = [name for panel in sheet.panels for name in panel.columns if name]
    assert columns == names()


def test_conditions_sheet_raises_severity_within_each_task():
    sheet = planned("conditions")
    [panel] = sheet.panels
    assert [name.split("\n")[0] for name, _ in panel.rows] == list(KINDS)
    row = panel.rows[0][1]
    assert len(row) == len(TASKS) * len(SEVERITIES)
    given = [sheet.specs[cell.clip]["conditions"][0]["severity"] for cell in row]
    assert given == list(SEVERITIES) * len(TASKS)
    stills = [sheet.specs[cell.clip]["stills"][cell.frame] for cell in row]
    assert stills == [still for still in TASKS.values() for _ in SEVERITIES]


@pytest.mark.parametrize(
    ("kind", "people", "size", "sentence"),
    [
        ("cats", None, 64, "no sheet 'cats'; known: people, units"),
        ("people", 0, 64, "1 to 100 people, got 0"),
        ("people", 1, 7, "32 to 512 px a side, got 7"),
    ],
)
def test_impossible_sheets_are_refused(kind, people, size, sentence):
    with pytest.raises(ParamsError, match=sentence):
        planned(kind, people, size)


def test_sheet_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    sheet = planned("people", 2)
    made = ((frames, {}) for frames in numbered(sheet))
    monkeypatch.setattr(gallery, "render_specs", lambda specs, home, store: made)
    make_sheet(sheet, tmp_path, tmp_path / "people.png", say=lambda line: None)
    with Image.open(tmp_path / "people.png") as picture:
        assert picture.mode == "RGB"
    with pytest.raises(ParamsError, match=r"people\.jpg must end in \.png"):
        make_sheet(sheet, tmp_path, tmp_path / "people.jpg")
