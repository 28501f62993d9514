"""Adding a study touches no code: one folder, and the whole line runs on it, at tiny size."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOY = """\
name: toy
title: Toy
question: Is a smile weak, and how weak?
cohorts: {seen: 6, unseen: 2}
arms:
  - {label: healthy, cohorts: [seen, unseen], expressions: [smiling]}
  - label: weak
    cohorts: [seen, unseen]
    expressions: [smiling]
    conditions: [{kind: palsy, severity: [0.2, 0.9]}]
portraits: 2
input: {frames: 2, stride: 2}
tasks:
  diagnosis: {positive: [weak]}
  severity: {among: weak, positive: {severity: [0.55, 1]}}
protocols:
  mixed: {unit: window, together: nothing, test: 0.25, leaky: true}
  crossed: {unit: clip, together: group, folds: 3, leaky: false}
  others: {unit: clip, together: group, test_cohorts: [unseen], leaky: false}
models:
  convlstm: {parameters: {hidden: 4, stem: 4}}
  framecnn: {tasks: [diagnosis]}
published:
  source: nobody
  claims: [{task: diagnosis, protocol: mixed, figures: {accuracy: 0.9}}]
params:
  plan: {frames: 4, fps: 2}
  render: {samples: 1}
  train: {epochs: 1}
  evaluate: {bootstrap: 100}
"""


def git(place, *words):
    run = subprocess.run(["git", *words], cwd=place, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory, assets):
    """A clone of the checkout as it is now, with the toy study and nothing else added."""
    place = tmp_path_factory.mktemp("toy") / "clone"
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    git(place.parent, "init", "-q", str(place))
    git(place, "add", "-A")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    git(place, *who, "commit", "-qm", "clone")
    shutil.copytree(assets.root, place / ".pallor" / "assets")
    (place / "studies" / "toy").mkdir()
    (place / "studies" / "toy" / "study.yaml").write_text(TOY)
    return place


@pytest.fixture(scope="module")
def pallor(server):
    """A command in a place, on the tests' Prefect server: one of its own takes ten seconds."""

    def run(place, *words):
        environment = {**os.environ, "PYTHONPATH": str(place), "PREFECT_API_URL": server}
        environment.pop("PALLOR_HOME", None)
        command = [sys.executable, "-m", "flows.cli", *words]
        return subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def made(clone, pallor):
    run = pallor(clone, "run", "--study", "toy")
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return clone


def test_one_folder_is_all_that_a_study_needs(made):
    changed = {line[3:].split("/")[0] for line in git(made, "status", "--porcelain").splitlines()}
    assert changed <= {"studies", "data", "metrics", "plots", "report", "dvc.lock"}


def test_every_task_model_and_protocol_has_its_figures(made, pallor):
    run = pallor(made, "report", "--study", "toy", "--json")
    said = json.loads(run.stdout)
    found = {(row["task"], row["model"], row["protocol"]) for row in said["results"]}
    protocols = ("mixed", "crossed", "others")
    assert found == {
        *(("diagnosis", model, p) for model in ("convlstm", "framecnn") for p in protocols),
        *(("severity", "convlstm", p) for p in protocols),
    }
    for row in said["results"]:
        assert row["n"] > 0
        for figure in row["figures"].values():
            low, high = figure["ci95"]
            assert low <= figure["value"] <= high
    assert {row["leaky"] for row in said["results"]} == {True, False}


def test_severity_travels_from_plan_to_sample(made):
    rows = [json.loads(line) for line in (made / "data/toy/plan.jsonl").read_text().splitlines()]
    weak = {row["clip_id"]: row for row in rows if row.get("label") == "weak"}
    assert all(0.2 <= row["targets"]["severity"] <= 0.9 for row in weak.values())
    table = (made / "data/toy/split/others.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in table]
    for sample in samples:
        if sample["clip_id"] in weak:
            assert sample["targets"] == weak[sample["clip_id"]]["targets"]


def test_the_held_out_cohort_is_tested_and_never_trained_on(made):
    rows = [json.loads(line) for line in (made / "data/toy/plan.jsonl").read_text().splitlines()]
    cohort = {row["clip_id"]: row.get("cohort") for row in rows if row["kind"] != "portrait"}
    table = (made / "data/toy/split/others.jsonl").read_text().splitlines()
    for sample in map(json.loads, table):
        assert (cohort[sample["clip_id"]] == "unseen") == (sample["side"] == "test")


def test_a_second_run_has_nothing_to_do(made, pallor):
    run = pallor(made, "run", "--study", "toy")
    assert run.returncode == 0
    assert "nothing to run" in run.stdout
