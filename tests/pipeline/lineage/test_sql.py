"""`pallor sql`: what it answers, and that it cannot write."""

import json
from contextlib import closing

import duckdb
import numpy as np
import pytest

from flows.cli import main
from pipeline.errors import StageError
from pipeline.lineage.database import read_only
from pipeline.lineage.sql import rows


@pytest.fixture
def index(tmp_path):
    with closing(duckdb.connect(str(tmp_path / "i.duckdb"))) as database:
        database.execute("CREATE TABLE person (id VARCHAR, age DOUBLE, sex VARCHAR, town VARCHAR)")
        database.execute("INSERT INTO person VALUES ('a', 71, 'female', NULL)")
    with closing(read_only(tmp_path / "i.duckdb")) as made:
        yield made


def test_a_select_answers_its_columns_and_rows(index):
    answer = rows(index, "SELECT id, age AS years, town FROM person")
    assert list(answer) == [("id", "years", "town"), ("a", 71.0, None)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM person", "INSERT INTO person VALUES ('b', 1, '', '')", "DROP TABLE person",
        "UPDATE person SET age = 1", "CREATE TABLE t (x INT)", "CREATE TEMP TABLE t (x INT)",
        "BEGIN", "ATTACH '{file}' AS other", "COPY person TO '{file}'", "EXPORT DATABASE '{file}'",
        "PRAGMA database_list", "SET threads = 1", "INSTALL httpfs", "LOAD httpfs", "CHECKPOINT",
        "EXPLAIN ANALYZE DELETE FROM person", "SELECT 1; DROP TABLE person",
    ],
)  # fmt: skip
def test_sql_that_writes_is_refused_and_writes_nothing(index, tmp_path, query):
    file = tmp_path / "other.db"
    with pytest.raises(StageError, match="the index is read only"):
        list(rows(index, query.format(file=file)))
    assert not file.exists()
    assert index.rows("SELECT id, age FROM person") == [{"id": "a", "age": 71.0}]


@pytest.mark.parametrize(
    "query", ["FROM read_csv('{file}')", "FROM '{file}'", "SELECT * FROM read_text('{file}')",
              "SELECT * FROM glob('{file}')"],
)  # fmt: skip
def test_no_other_file_is_read(index, tmp_path, query):
    file = tmp_path / "other.csv"
    file.write_text("secret\n1\n")
    with pytest.raises(StageError, match=r"reads the index and no other file|is no table"):
        list(rows(index, query.format(file=file)))


def test_no_variable_of_the_program_is_read(index):
    secret = {"a": np.arange(3)}
    with pytest.raises(StageError, match="'secret' is no table"):
        list(rows(index, "SELECT * FROM secret"))
    assert secret


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT agge FROM person", "'agge' is no column of the index; the nearest is 'age'"),
        ("SELECT p.sx FROM person p", "'sx' is no column of the index; the nearest is 'sex'"),
        ("SELECT * FROM persons", "'persons' is no table of the index; the nearest is 'person'"),
        ("SELEC 1", "syntax error"), ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "the SQL cannot be answered"), ("SELECT $x", "the SQL cannot be answered"),
        ("-- nothing", "begin with SELECT"),
    ],
)  # fmt: skip
def test_sql_that_cannot_be_answered_says_why(index, query, sentence):
    with pytest.raises(StageError, match=sentence):
        list(rows(index, query))


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
