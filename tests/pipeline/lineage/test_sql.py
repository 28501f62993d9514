"""`pallor sql`: what it answers, and that it cannot write."""

import json
import sqlite3
from contextlib import closing

import pytest

from flows.cli import main
from pipeline.errors import StageError
from pipeline.lineage.index import SCHEMA
from pipeline.lineage.sql import rows


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(SCHEMA)
        made.execute("INSERT INTO person VALUES ('a', 71, 'female', NULL)")
        made.commit()
        yield made


def test_a_select_answers_its_columns_and_rows(database):
    answer = rows(database, "SELECT id, age AS years, ethnicity FROM person")
    assert list(answer) == [("id", "years", "ethnicity"), ("a", 71.0, None)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM person", "INSERT INTO person VALUES ('b', 1, '', '')", "DROP TABLE person",
        "UPDATE person SET age = 1", "CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)", "BEGIN",
        "ATTACH '{file}' AS other", "VACUUM INTO '{file}'", "PRAGMA journal_mode = WAL",
    ],
)  # fmt: skip
def test_sql_that_writes_is_refused_and_writes_nothing(database, tmp_path, query):
    file = tmp_path / "other.db"
    with pytest.raises(StageError, match="the index is read only"):
        list(rows(database, query.format(file=file)))
    assert not file.exists()
    assert database.execute("SELECT * FROM person").fetchall() == [("a", 71.0, "female", None)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT agge FROM person", "'agge' is no column of the index; the nearest is 'age'"),
        ("SELECT p.sx FROM person p", "'sx' is no column of the index; the nearest is 'sex'"),
        ("SELECT * FROM persons", "'persons' is no table of the index; the nearest is 'person'"),
        ("SELEC 1", "syntax error"), ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "the SQL cannot be answered"), ("-- nothing", "begin with SELECT"),
    ],
)  # fmt: skip
def test_sql_that_cannot_be_answered_says_why(database, query, sentence):
    with pytest.raises(StageError, match=sentence):
        list(rows(database, query))


def test_the_command_prints_tabs_or_json(template, monkeypatch, capsys):
    monkeypatch.chdir(template.root)
    query = "SELECT status, count(*) AS n FROM clip GROUP BY status ORDER BY status"
    assert main(["sql", query]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "status\tn"
    assert main(["sql", query, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [f"{row['status']}\t{row['n']}" for row in found] == lines
    assert sum(row["n"] for row in found) > 0
    assert main(["sql", "DELETE FROM clip"]) == 2
    assert "read only" in capsys.readouterr().err
