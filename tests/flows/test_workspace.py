import json
import subprocess
import sys

import pytest

from flows.cli import main
from flows.workspace import LOCKS, home, only_run, only_stage, require_workspace
from pipeline.errors import StageError

HOLD = """
import sys, time
from flows.workspace import only_run, only_stage
with {lock}("pallor run"):
    print("held", flush=True)
    sys.stdin.read()
    time.sleep(0.3)
"""


def holder(lock):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(lock=lock)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_the_workspace(workspace):
    first = holder("only_run")
    with (
        pytest.raises(StageError, match=rf"`pallor run` \(process {first.pid} on"),
        only_run("pallor run"),
    ):
        raise AssertionError("two runs in one workspace")
    first.communicate("")


def test_a_killed_holder_holds_nothing(workspace):
    first = holder("only_run")
    first.kill()
    first.communicate()
    with only_run("pallor run"):
        assert json.loads((LOCKS / "pallor-run.json").read_text())["pid"] != first.pid


def test_a_stage_waits_for_the_one_before(workspace, capsys):
    with holder("only_stage") as first:
        first.stdin.close()  # it ends soon, not at once
        with only_stage("split"):
            assert f"waiting for `pallor run` (process {first.pid}" in capsys.readouterr().out


@pytest.mark.parametrize("lock", ["only_run", "only_stage"])
def test_nothing_is_verified_while_a_run_writes(workspace, lock, capsys):
    with holder(lock) as first:
        assert main(["verify"]) == 2
        assert f"`pallor run` (process {first.pid}" in capsys.readouterr().err
        first.stdin.close()
    for _ in range(2):  # who asks holds nothing afterwards
        assert main(["verify"]) == 2
        assert "dvc.lock is missing" in capsys.readouterr().err


def test_outside_a_workspace_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match="no Pallor workspace"):
        require_workspace()


def test_home_is_in_the_workspace_unless_shared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    assert home() == tmp_path / ".pallor"
    monkeypatch.setenv("PALLOR_HOME", "elsewhere")
    assert home() == tmp_path / "elsewhere"


def test_a_fresh_clone_hears_nothing_of_prefects_folder(workspace, monkeypatch):
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    said = subprocess.run(
        [sys.executable, "-c", "import flows, prefect.context"], capture_output=True, text=True
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert (workspace / ".pallor" / "prefect").is_dir()
