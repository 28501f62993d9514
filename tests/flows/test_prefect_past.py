import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.prefect_past import drop_old_runs, old_runs
from pipeline.errors import StageError

WHEN = "strftime('%Y-%m-%d %H:%M:%f000', 'now', ?)"
OLD, NEW, NOW = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
RUNS = [(OLD, "COMPLETED", "-100 days"), (NEW, "COMPLETED", "-1 days"), (NOW, "RUNNING", None)]


@pytest.fixture
def past(server, tmp_path):
    """A copy of a real server's database with three runs of ours, one of them ended long ago."""
    path = tmp_path / "prefect.db"
    theirs = sqlite3.connect(Path(os.environ["PREFECT_HOME"]) / "prefect.db")
    with closing(theirs), closing(sqlite3.connect(path)) as copy:
        theirs.backup(copy)
        for table in ("flow_run", "flow", "log"):
            copy.execute(f"delete from {table}")
        copy.execute("insert into flow (id, name) values (?, 'corpus')", (OLD,))
        for run, state, ended in RUNS:
            copy.execute(
                "insert into flow_run (id, flow_id, name, state_type, state_name, end_time) "
                f"values (?, ?, 'n', ?, 'n', {WHEN})", (run, OLD, state, ended),
            )  # fmt: skip
            copy.execute(
                "insert into log (id, name, level, flow_run_id, message, timestamp) "
                f"values (?, 'n', 20, ?, 'm', {WHEN})", (run, run, "-0 days"),
            )  # fmt: skip
        copy.commit()
    return path


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_what_ended_long_ago_goes_with_its_logs_and_the_rest_stays(past):
    assert (old_runs(past, 90), old_runs(past, 200)) == (1, 0)
    drop_old_runs(past, 90)
    assert old_runs(past, 90) == 0
    with closing(sqlite3.connect(past)) as connection:
        for table, name in (("flow_run", "id"), ("log", "flow_run_id")):
            left = {row[0] for row in connection.execute(f"select {name} from {table}")}
            assert left == {NEW, NOW}


def test_where_there_is_no_database_there_is_no_past(tmp_path):
    assert old_runs(tmp_path / "prefect.db", 1) == 0
    drop_old_runs(tmp_path / "prefect.db", 1)


def test_what_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "prefect.db").write_text("no database of any kind " * 100)
    with pytest.raises(StageError, match="cannot be read"):
        old_runs(tmp_path / "prefect.db", 1)
