"""dvc.yaml is what the stage table says, and DVC reads it as it is meant."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.code import write_code
from flows.dvc_file import dvc_text
from flows.studies import tell_dvc
from pipeline.closure import FOLDERS, LOCKS
from pipeline.files import read_json
from pipeline.stage import STAGES
from pipeline.workspace import MAIN

ROOT = Path(__file__).parents[2]
DVC = [sys.executable, "-m", "dvc"]


def test_the_committed_file_is_what_the_table_says():
    assert (ROOT / "dvc.yaml").read_text() == dvc_text()


@pytest.mark.parametrize("stage", STAGES)
def test_the_runner_is_the_one_command(stage):
    entry = yaml.safe_load(dvc_text())["stages"][stage]
    assert entry.get("do", entry)["cmd"].startswith(f"python -m flows.stage {stage}")
    assert ("foreach" in entry) == (STAGES[stage].scope == "study")


@pytest.mark.parametrize("stage", [name for name, row in STAGES.items() if not row.frozen])
def test_the_record_of_the_main_study_is_by_the_code_that_is_here(stage):
    """Else whoever pulls it has stages to run again: run it, or say why its bytes stay."""
    locked = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"][f"{stage}@{MAIN}"]
    name = f"code/{stage}.json"
    assert locked["params"][name]["digest"] == read_json(ROOT / name)["digest"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A DVC workspace with all code, the main study and one more."""
    root = tmp_path_factory.mktemp("clone")
    for name in (*FOLDERS, "portraits", "studies", "checkpoints"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*LOCKS, "params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    other = yaml.safe_load((root / f"studies/{MAIN}/study.yaml").read_text())
    (root / "studies/other").mkdir()
    text = yaml.safe_dump({**other, "name": "other", "portraits": 3})
    (root / "studies/other/study.yaml").write_text(text)
    subprocess.run([*DVC, "init", "-q", "--no-scm"], cwd=root, check=True)
    (root / ".dvcignore").write_text("__pycache__/\n.pallor/\n")
    return root


@pytest.fixture
def inside(clone, monkeypatch):
    monkeypatch.chdir(clone)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # flows, which is no part of a stage's code
    tell_dvc([MAIN, "other"])
    return clone


def status(target):
    """What DVC would do for a stage, and why; stages that only tell are passed over."""
    command = [*DVC, "status", "--json", "--with-deps", target]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        name: rows for name, rows in json.loads(run.stdout).items()
        if name.partition("@")[0] not in ("code", "settings")
    }  # fmt: skip


def repro(target):
    run = subprocess.run([*DVC, "repro", target], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_a_study_is_planned_by_dvc_alone_and_only_its_own_keys_make_it_stale(inside):
    said = repro("plan@other")
    assert "plan@deterioration" not in said
    rows = (inside / "data/other/plan.jsonl").read_text().splitlines()
    assert sum(json.loads(row)["kind"] == "transfer" for row in rows) == 3
    assert status("plan@other") == {}

    path = inside / "studies/other/study.yaml"
    path.write_text("# A comment.\n" + path.read_text().replace("title: ", "title: New "))
    tell_dvc(["other"])
    assert status("plan@other") == {}
    path.write_text(path.read_text().replace("portraits: 3", "portraits: 4"))
    tell_dvc(["other"])
    [(name, [changed])] = status("plan@other").items()
    assert (name, changed["changed deps"]) == (
        "plan@other",
        {"data/other/settings.json": {"study.portraits": "modified"}},
    )
    assert "didn't change" not in repro("plan@other").split("plan@other")[1]


def test_a_changed_study_makes_those_stale_that_are_like_it(inside):
    folder = inside / "studies/child"
    folder.mkdir()
    (folder / "study.yaml").write_text("{name: child, like: other}\n")
    tell_dvc(["child"])
    repro("plan@child")
    assert status("plan@child") == {}
    path = inside / "studies/other/study.yaml"
    path.write_text(path.read_text().replace("portraits: ", "portraits: 1"))
    tell_dvc(["child"])
    assert set(status("plan@child")) == {"plan@child"}
    shutil.rmtree(folder)


def test_a_comment_runs_no_stage_and_a_function_its_own(inside):
    repro("plan@other")
    path = inside / "pipeline/corpus/plan.py"
    path.write_text("# A comment.\n" + path.read_text())
    assert write_code() == []
    assert status("plan@other") == {}
    said = repro("plan@other")  # without `pallor`: DVC's own stage `code` finds nothing changed
    assert "Stage 'plan@other' didn't change" in said
    path.write_text(path.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    changed = write_code()
    assert "plan" in changed
    assert "split" not in changed
    assert set(status("plan@other")) == {"plan@other"}


def test_a_studys_own_paths_are_dvcs(inside):
    path = inside / "studies/other/study.yaml"
    path.write_text(path.read_text() + "params: {portraits: {source: faces}}\n")
    shutil.copytree(inside / "portraits", inside / "faces")
    tell_dvc(["other"])
    command = [*DVC, "stage", "list", "--names-only"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {f"report@{MAIN}", "report@other", "motion", "code"} <= set(run.stdout.split())
    told = read_json(inside / "data/other/settings.json")["params"]["portraits"]
    paths = yaml.safe_load((inside / "studies/studies.yaml").read_text())["studies"]
    assert told == paths["other"]["portraits"] == {"source": "faces"}
    assert paths[MAIN]["portraits"] == {"source": "portraits"}
