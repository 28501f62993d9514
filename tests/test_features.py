"""docs/features.md: one table, and every test and command that it names is there."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from flows.cli import parser

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("features", ROOT / "docs" / "features.py")
features = importlib.util.module_from_spec(spec)
spec.loader.exec_module(features)

ROWS = [row for rows in features.table().values() for row in rows]
SHOWN = [(row["n"], by) for row in ROWS for by in row.get("by", ())]


def test_the_page_is_what_the_table_says():
    assert (ROOT / "docs" / "features.md").read_text() == features.page(features.table())


def test_each_of_the_rows_is_there_once_and_says_what_shows_it_or_why_not():
    assert [row["n"] for row in ROWS] == list(range(1, 106))
    for row in ROWS:
        assert row.keys() <= {"n", "asked", "state", "by", "why"}
        assert row["state"] in features.STATES
        assert bool(row.get("by")) or row["state"] != "have", row["n"]
        assert bool(row.get("why")) == (row["state"] != "have"), row["n"]


@pytest.mark.parametrize(("number", "by"), SHOWN)
def test_what_a_row_names_is_there(number, by):
    if not by.startswith("tests/"):
        words = shlex.split(by)
        assert words[0] == "pallor"
        assert parser().parse_args(words[1:]).command == words[1]
        return
    path, name = by.split("::")
    assert re.search(rf"^def (test_)?{name}\(", (ROOT / path).read_text(), re.MULTILINE), by


def test_pages_that_a_reason_names_are_there():
    for row in ROWS:
        for page in re.findall(r"\(([\w/-]+\.md)\)", row.get("why", "")):
            assert (ROOT / "docs" / page).is_file(), row["n"]
