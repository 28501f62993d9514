from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import StageError
from pipeline.exports.steps import is_code, read_steps

ROOT = Path(__file__).parents[3]


def test_only_a_completed_run_is_told_of(workspace):
    plan, render = read_steps(workspace, workspace / ".pallor" / "runs")
    assert (plan.name, plan.record) == ("plan", None)
    assert render.record["pid"] == 4
    assert render.started == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert render.ended - render.started == timedelta(seconds=12.5)


def test_a_corpus_without_run_records_has_steps_all_the_same(workspace, tmp_path):
    steps = read_steps(workspace, tmp_path / "nowhere")
    assert [step.name for step in steps] == ["plan", "render"]
    assert not any(step.record for step in steps)


def test_without_a_lock_there_is_nothing_to_tell(tmp_path):
    with pytest.raises(StageError, match=r"dvc.lock is missing"):
        read_steps(tmp_path, tmp_path)


def test_every_stage_of_the_project_comes_after_those_it_reads():
    made = set()
    steps = read_steps(ROOT, ROOT / "nowhere")
    outs = {path for step in steps for path in step.stage.outs}
    for step in steps:
        assert set(step.inputs) & outs <= made
        made |= set(step.stage.outs)


@pytest.mark.parametrize(
    ("path", "code"),
    [("avatars", True), ("pipeline/corpus/plan.py", True), ("requirements.lock", True),
     ("pipeline/report/report.html.j2", True), ("data/clips", False), ("portraits", False),
     ("motion/blend-128.safetensors", False)],
)  # fmt: skip
def test_code_is_told_from_data(path, code):
    assert is_code(path) == code
