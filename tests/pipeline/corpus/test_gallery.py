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

SIZE = 32


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
    sheet = plan_sheet(kind, Params(), 2, SIZE)
    for spec in sheet.specs:
        parse_spec(spec).check()
        hold(spec["stills"])
    page = draw_sheet(sheet, list(numbered(sheet)))
    assert page.dtype == np.uint8
    assert page.shape[2] == 3


@pytest.mark.parametrize("kind", SHEETS)
def test_no_frame_is_rendered_that_no_cell_shows_but_for_the_first_of_a_pair(kind):
    sheet = plan_sheet(kind, Params(), 1, SIZE)
    rendered = sum(spec["frames"] for spec in sheet.specs)
    shown = len(set(cells(sheet)))
    assert rendered == (2 * shown if kind == "conditions" else shown)


def test_people_sheet_shows_each_person_once():
    sheet = plan_sheet("people", Params(), None, SIZE)
    assert sorted(cell.clip for cell in cells(sheet)) == list(range(25))
    assert len({str(spec["identity"]) for spec in sheet.specs}) == 25


def test_units_sheet_shows_every_side_of_every_unit():
    sheet = plan_sheet("units", Params(), None, SIZE)
    shown = [sheet.specs[cell.clip]["stills"][cell.frame] for cell in cells(sheet)]
    assert len(shown) == sum(3 if unit.paired else 1 for unit in UNITS.values())
    assert {"12": [1.0, 0.0]} in shown
    assert {"25": [1.0, 1.0]} in shown


def test_displays_sheet_holds_the_middle_of_each_range():
    sheet = plan_sheet("displays", Params(), 3, SIZE)
    assert len(sheet.specs) == 3
    still = sheet.specs[0]["stills"][Params().plan.expressions.index("FD3-L")]
    assert still["51"][0] == still["51"][1] > 0.5
    assert still["43"][0] > 0.9


def test_expressions_sheet_names_all():
    sheet = plan_sheet("expressions", Params(), 1, SIZE)
    columns = [name for panel in sheet.panels for name in panel.columns if name]
    assert columns == names()


def test_conditions_sheet_raises_severity_within_each_task():
    sheet = plan_sheet("conditions", Params(), None, SIZE)
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
        plan_sheet(kind, Params(), people, size)


def test_sheet_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    sheet = plan_sheet("people", Params(), 2, SIZE)
    made = ((frames, {}) for frames in numbered(sheet))
    monkeypatch.setattr(gallery, "render_specs", lambda specs, home, store: made)
    make_sheet(sheet, tmp_path, tmp_path / "people.png", say=lambda line: None)
    with Image.open(tmp_path / "people.png") as picture:
        assert picture.mode == "RGB"
    with pytest.raises(ParamsError, match=r"people\.jpg must end in \.png"):
        make_sheet(sheet, tmp_path, tmp_path / "people.jpg")
