import json
import os
import subprocess
import sys

import pytest

from flows.stage import run_stage, say_errors
from pipeline.errors import StageError


def raises(error):
    def body():
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (lambda: None, 0, ""),
        (raises(StageError("the plan is missing")), 2, "pallor: the plan is missing\n"),
        (raises(KeyboardInterrupt()), 130, "pallor: stopped; finished work is kept"),
        (raises(ZeroDivisionError("a bug")), 1, "Traceback"),
    ],
)
def test_what_is_said_and_the_exit_code(body, code, said, capsys):
    assert say_errors(body) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_stage_keeps_a_run_record(workspace):
    with pytest.raises(SystemExit, match="0"):
        run_stage("split", lambda: None)
    [record] = (workspace / ".pallor/runs").glob("*-split-*.json")
    assert json.loads(record.read_text())["outcome"] == "completed"


def test_a_stage_that_fails_keeps_its_reason(workspace, capsys):
    with pytest.raises(SystemExit, match="2"):
        run_stage("split", raises(StageError("no clip was kept")))
    [record] = (workspace / ".pallor/runs").glob("*-split-*.json")
    assert "no clip was kept" in json.loads(record.read_text())["error"]


def test_importing_the_flows_silences_telemetry():
    names = ("DO_NOT_TRACK", "DVC_NO_ANALYTICS", "PREFECT_SERVER_ANALYTICS_ENABLED")
    bare = {key: value for key, value in os.environ.items() if key not in names}
    script = f"import os, flows; print([os.environ[n] for n in {names}])"
    run = subprocess.run([sys.executable, "-c", script], env=bare, capture_output=True, text=True)
    assert run.stdout.strip() == "['1', '1', 'false']"


def test_a_reader_that_has_seen_enough_is_no_bug():
    program = "from flows.stage import say_errors; raise SystemExit(say_errors(lambda: print('x')))"
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (141, b"")
