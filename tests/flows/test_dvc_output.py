import subprocess
import sys

from flows.dvc_output import read_lines

STAGES = """
stages:
  first:
    cmd: echo made first; echo one > first.txt
    outs: [first.txt]
  kept:
    frozen: true
    cmd: echo never
    outs:
      - kept.txt: {cache: false}
  last:
    cmd: cat first.txt kept.txt > last.txt
    deps: [first.txt, kept.txt]
    outs: [last.txt]
"""


def repro():
    run = subprocess.run([sys.executable, "-m", "dvc", "repro"], capture_output=True, text=True)
    return list(read_lines((run.stdout + run.stderr).splitlines()))


def outcomes(lines):
    return {line.stage: line.outcome for line in lines}


def test_the_pinned_dvc_is_understood(workspace):
    (workspace / "dvc.yaml").write_text(STAGES)
    (workspace / "kept.txt").write_text("kept")
    made = repro()
    assert outcomes(made) == {"first": "runs", "kept": "frozen", "last": "runs"}
    assert [line.text for line in made if line.text] == ["made first"]
    assert set(outcomes(repro()).values()) == {"unchanged"}
    (workspace / "last.txt").unlink()
    assert outcomes(repro())["last"] == "restored"


def test_a_failing_stage_is_marked(workspace):
    (workspace / "dvc.yaml").write_text("stages: {bad: {cmd: exit 3}}")
    failed = [line for line in repro() if line.failed]
    assert [line.stage for line in failed] == ["bad"]
    assert "exited with 3" in failed[0].text


def test_a_stage_that_fails_before_it_starts_is_named(workspace):
    (workspace / "dvc.yaml").write_text(
        "stages: {fine: {cmd: echo, outs: [], deps: []}, bad: {cmd: echo, deps: [none.py]}}"
    )
    assert {line.stage for line in repro() if line.failed} == {"bad"}


def test_nothing_to_transfer_is_no_warning_and_another_empty_folder_is(workspace):
    (workspace / "dvc.yaml").write_text(
        "stages: {none: {cmd: mkdir -p data/a/transferred data/a/clips, "
        "outs: [data/a/transferred, data/a/clips]}}"
    )
    assert [line.text for line in repro() if line.text] == ["WARNING: 'data/a/clips' is empty."]


def test_text_before_the_first_stage_has_no_stage():
    assert [(line.stage, line.text) for line in read_lines(["hello"])] == [("", "hello")]


def test_what_dvc_says_after_a_kill_is_no_stage():
    said = "WARNING: Process 'dvc repro' with (Pid 7), in RWLock-file 'data/a' had been killed"
    assert [line.stage for line in read_lines([said, "Running stage 'a':"])] == ["a"]
