import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows import corpus
from flows.corpus import failed_logs, given_up, require_complete, run_studies
from flows.studies import chosen, made, model_file, opened, overview, stale, tell_dvc
from flows.untold import to_run
from pipeline.closure import FOLDERS, LOCKS
from pipeline.errors import IncompleteError, StageError, StudyError
from pipeline.workspace import MAIN

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(workspace, monkeypatch):
    """A DVC workspace with all code and the main study."""
    for name in (*FOLDERS, "portraits", f"studies/{MAIN}", "checkpoints"):
        shutil.copytree(ROOT / name, workspace / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "studies" / "studies.yaml", workspace / "studies")
    for name in (*LOCKS, "params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, workspace / name)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return workspace


def another(root, **changes):
    """A second study of the clone."""
    study = yaml.safe_load((root / f"studies/{MAIN}/study.yaml").read_text())
    folder = root / "studies" / "other"
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump({**study, "name": "other", **changes}))


def test_a_study_is_chosen_by_its_name(clone):
    another(clone)
    assert chosen(MAIN) == [MAIN]
    assert chosen("all") == [MAIN, "other"]
    with pytest.raises(StudyError, match="no study 'othr'; the nearest is 'other'"):
        chosen("othr")
    with pytest.raises(StudyError, match="no study 'all'"):
        chosen("all", one=True)


def test_a_changed_comment_ends_before_anything_is_run(clone):
    tell_dvc([MAIN])
    target = [f"plan@{MAIN}"]
    assert stale(target) == set(target)
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q", *target], check=True)
    assert stale(target) == set()
    for path in (clone / "avatars/scene.py", clone / "pipeline/files.py", clone / "params.yaml"):
        path.write_text("# A comment.\n" + path.read_text())
    tell_dvc([MAIN])
    assert stale(target) == set()
    found = subprocess.run(  # what only tells is locked as it is, so DVC is content as well
        [sys.executable, "-m", "dvc", "status", "--json", "--with-deps", *target],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(found.stdout) == {}
    assert made() == [MAIN]


def test_studies_are_listed_with_their_state_and_cost(clone):
    another(clone, title="Another", portraits=0)
    rows = list(overview(cores=2))
    assert [(row.name, row.state, row.clips) for row in rows] == [
        (MAIN, "not made", 176), ("other", "not made", 125)
    ]  # fmt: skip
    assert all(row.cost.endswith("min") for row in rows)


def written(root):
    """Every file with its bytes, but those of DVC and of our locks, and what Python compiled."""
    files = (path for path in root.rglob("*") if path.is_file())
    kept = (path for path in files if not {".dvc", "__pycache__"} & {*path.parts})
    return {path: path.read_bytes() for path in kept}


def test_a_list_of_studies_writes_nothing(clone):
    another(clone)
    tell_dvc([MAIN])
    (clone / "studies/studies.yaml").write_text("studies: {}\n")  # of another time
    before = written(clone)
    assert [row.name for row in overview(cores=2)] == [MAIN, "other"]
    assert written(clone) == before


def states():
    return {row.name: row.state for row in overview(cores=2)}


def test_a_list_of_studies_says_what_a_run_would_make(clone):
    tell_dvc([MAIN])
    target = [f"plan@{MAIN}"]
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q", *target], check=True)
    with_plan = to_run([MAIN])
    assert with_plan == stale([f"report@{MAIN}"])
    assert states() == {MAIN: f"{len(with_plan)} stages to run"}
    scene, params = clone / "avatars/scene.py", clone / "params.yaml"
    for path in (scene, params):
        path.write_text("# A comment.\n" + path.read_text())
    assert to_run([MAIN]) == with_plan
    said = params.read_text()
    params.write_text(said.replace("seed: 7", "seed: 8"))
    before = written(clone)
    assert to_run([MAIN]) == with_plan | set(target)
    assert written(clone) == before
    params.write_text(said)
    scene.write_text(scene.read_text() + "MORE = 1\n")
    assert set(target) <= to_run([MAIN])


def test_a_broken_study_stops_its_own_run_alone(clone):
    another(clone, portraits=-1)
    tell_dvc([MAIN])  # the other one has no paths yet, and none is read
    with pytest.raises(StudyError, match="'portraits' is -1"):
        run_studies(["other"])
    assert not (clone / "data/other").exists()


def test_a_missing_checkpoint_is_told_before_anything_runs(clone):
    (clone / "checkpoints/motion/blend-128.safetensors").unlink()
    with pytest.raises(StageError, match="make motion"):
        run_studies([MAIN])
    assert not (clone / "data").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"expressions": ["blnk"]}, "blnk"),
        ({"conditions": [{"kind": "gout", "severity": 1}]}, "there is no condition 'gout'"),
    ],
)
def test_what_nobody_can_perform_is_told_before_anything_runs(clone, change, sentence):
    arm = {"label": "odd", "cohorts": ["cast"], "expressions": ["blink"]}
    study = yaml.safe_load((clone / f"studies/{MAIN}/study.yaml").read_text())
    another(clone, arms=[*study["arms"], arm | change])
    with pytest.raises(StudyError, match=sentence):
        run_studies(["other"])
    assert not (clone / "data").exists()


def test_a_run_asks_dvc_for_the_report_of_each_study(clone, monkeypatch):
    another(clone)
    asked = []
    monkeypatch.setattr(corpus, "bring_up", lambda *arguments: asked.append(arguments))
    run_studies(chosen("all"))
    [(targets, logs, names)] = asked
    assert targets == [f"report@{MAIN}", "report@other"]
    assert logs["render@other"] == Path("data/other/clips/failed.jsonl")
    assert names == [MAIN, "other"]


def test_what_was_given_up_is_counted_by_stage_and_study(clone):
    log = clone / "data" / MAIN / "clips/failed.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n{}\n")
    logs = failed_logs([MAIN])
    assert given_up(logs) == {f"render@{MAIN}": 2}
    with pytest.raises(IncompleteError, match=rf"render@{MAIN} 2\).*clips/failed.jsonl"):
        require_complete(logs)


def test_the_model_that_is_meant_is_the_first_without_a_leak(clone):
    assert model_file(MAIN) == Path(f"data/{MAIN}/models/display/convlstm/clean.safetensors")
    assert model_file(MAIN, protocol="published").stem == "published"
    with pytest.raises(StudyError, match="no protocol 'clear' here; the nearest is 'clean'"):
        model_file(MAIN, protocol="clear")
    folds = {"unit": "clip", "together": "group", "leaky": False, "folds": 3}
    another(clone, protocols={"folds": folds}, published=None)
    assert model_file("other").stem == "folds-1"
    assert opened("other")[1].name == "other"
