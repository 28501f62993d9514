import numpy as np
import pytest

from pipeline.corpus.sheet import EMPTY, GAP, HEADING, NAMES, apex, contact_sheet, corpus_sheet
from pipeline.errors import StageError


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
    inputs = line.inputs
    where = (inputs.clips, inputs.portraits, inputs.transferred)
    sheet = corpus_sheet(line.plan, *where)
    step = line.params.plan.size + GAP
    assert sheet.shape == (HEADING + 9 * step, NAMES + 5 * step, 3)
    assert np.array_equal(sheet, corpus_sheet(line.plan, *where))
