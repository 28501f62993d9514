import numpy as np
import pytest

from pipeline.corpus.sheet import EMPTY, GAP, HEADING, NAMES, apex, contact_sheet, corpus_sheet
from pipeline.errors import StageError
from pipeline.study import parse_study


def cell(level, side=20):
    return np.full((side, side, 3), level, np.uint8)


def test_pictures_stand_in_their_rows_and_columns():
    rows = [("one\nquiet", [cell(10), None]), ("two", [cell(30), cell(40)])]
    sheet = contact_sheet(rows, ["a", "b"])
    step = 20 + GAP
    assert sheet.shape == (HEADING + 2 * step, NAMES + 2 * step, 3)
    assert sheet.dtype == np.uint8
    levels = [[sheet[HEADING + r * step, NAMES + c * step, 0] for c in (0, 1)] for r in (0, 1)]
    assert levels == [[10, EMPTY], [30, 40]]


def test_names_and_headings_are_written():
    plain = contact_sheet([("", [cell(10)])], [""])
    named = contact_sheet([("who", [cell(10)])], ["FD1"])
    assert (named[:, :NAMES] != plain[:, :NAMES]).any()
    assert (named[:HEADING] != plain[:HEADING]).any()


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(StageError, match="square pictures of one size"):
        contact_sheet([("", [cell(1), cell(1, 24)])], ["a", "b"])


def test_the_apex_is_where_most_is_done(tmp_path):
    executed = np.zeros((6, 2, 2))
    executed[2:5] = 1
    turn = np.array([0, 5, 10, 30, 20, 0.0])
    head = np.stack([turn, 0 * turn, 0 * turn], 1) + 4
    np.savez(tmp_path / "clip.npz", executed=executed, head_deg=head)
    assert apex(tmp_path / "clip.npz") == 3


def test_the_corpus_fits_on_one_page(line):
    sheet = corpus_sheet(line.plan, line.workspace)
    step = line.params.plan.size + GAP
    assert sheet.shape == (HEADING + 9 * step, NAMES + 5 * step, 3)
    assert np.array_equal(sheet, corpus_sheet(line.plan, line.workspace))


def test_long_headings_stay_in_their_columns():
    rows = [("", [cell(10, 40), cell(10, 40)])]
    narrow = contact_sheet(rows, ["weak: happiness", ""])
    wide = NAMES + 40 + GAP
    assert (narrow[:HEADING, wide:] == 255).all()
    assert (narrow[:HEADING, NAMES:wide] != 255).any()


def test_labels_of_other_people_and_expressions_have_their_columns(split_line):
    arms = [
        {"label": "well", "cohorts": ["home"], "expressions": ["happiness", "fear"]},
        {"label": "ill", "cohorts": ["ward"], "expressions": ["anger"]},
    ]
    rules = {"unit": "clip", "together": "person", "test": 0.5, "leaky": False}
    made = split_line(parse_study({
        "name": "columns", "title": "x", "question": "x?", "cohorts": {"home": 3, "ward": 4},
        "arms": arms, "input": {"frames": 4, "size": 48}, "tasks": {"state": {}},
        "protocols": {"half": rules}, "models": {"convlstm": {}},
    }, "a test"))  # fmt: skip
    step = made.params.plan.size + GAP
    sheet = corpus_sheet(made.plan, made.workspace)
    assert sheet.shape == (HEADING + 4 * step, NAMES + 3 * step, 3)  # no transfers
