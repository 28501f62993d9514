from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import StageError
from pipeline.exports.steps import read_steps
from pipeline.workspace import Workspace


def test_only_a_completed_run_is_told_of(workspace):
    plan, render = read_steps(workspace, workspace.root / ".pallor" / "runs")
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
        read_steps(Workspace("ward", tmp_path), tmp_path)


def test_a_step_comes_after_those_it_reads(workspace):
    plan, render = read_steps(workspace, workspace.root / "nowhere")
    assert set(plan.stage.outs) == set(render.inputs) == {"data/ward/plan.jsonl"}


def test_another_study_has_no_part_in_it(workspace):
    assert read_steps(workspace.of("clinic"), workspace.root / "nowhere") == []
