"""A video study through the whole real line, at the tiny size of its small.yaml."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.small import small_study, small_values
from pipeline.errors import StudyError
from pipeline.params import load_params
from pipeline.study import read_study

ROOT = Path(__file__).parents[2]
STUDIES = ("myasthenia", "icu_pain")


def pallor(place, home, server, *words):
    ours = {"PALLOR_HOME": str(home), "PYTHONPATH": str(place), "PREFECT_API_URL": server}
    environment = os.environ | ours
    command = [sys.executable, "-m", "flows.cli", *words]
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory, assets):
    place = tmp_path_factory.mktemp("home")
    shutil.copytree(assets.root, place / "assets")
    return place


# The small myasthenia took more than seven minutes on a shared core: too long for every run.
@pytest.fixture(scope="module", params=["icu_pain"])
def made(request, home, server):
    """(name, workspace, the object of `report --json`) of a small run."""
    name = request.param
    run = pallor(ROOT, home, server, "run", "--study", name, "--small")
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    place = home / "small" / name
    said = pallor(place, home, server, "report", "--study", name, "--json")
    assert said.returncode == 0, said.stderr
    return name, place, json.loads(said.stdout)


def test_every_task_model_and_protocol_has_figures_with_intervals(made):
    name, place, said = made
    study = read_study(place / "studies" / name / "study.yaml")
    found = [(row["task"], row["model"], row["protocol"]) for row in said["results"]]
    assert found == study.trials()
    for row in said["results"]:
        assert row["n"] > 0
        for figure in row["figures"].values():
            assert figure["ci95"][0] <= figure["value"] <= figure["ci95"][1]
    assert {row["leaky"] for row in said["results"]} == {True, False}
    assert any(row["published"] for row in said["results"])


def test_clean_protocols_share_nobody(made):
    name, place, _ = made
    study = read_study(place / "studies" / name / "study.yaml")
    proof = json.loads((place / "metrics" / name / "split_proof.json").read_text())
    for protocol, draw in study.draws():
        shared = proof[draw]["person"]["shared"]
        assert shared == 0 or study.protocols[protocol].leaky


def test_what_a_study_asks_is_in_its_report(made):
    name, place, said = made
    study = read_study(place / "studies" / name / "study.yaml")
    for row in said["results"]:
        task = study.tasks[row["task"]]
        assert bool(task.dose) == ("dose" in row)
        assert ("hidden" in row) == (bool(task.hide) and not row["leaky"])
        assert bool(task.errors_by) == ("errors_by" in row)
    asked = {label for row in said["results"] for label in row.get("asked_only", {})}
    assert asked == {arm.label for arm in study.arms if not arm.trained}
    page = (place / "report" / name / "index.html").read_text()
    assert "Dose and response" in page
    assert ("Expression strength" in page) == ("strength" in said)
    assert all((place / "report" / name / f"model-card-{m}.md").is_file() for m in study.models)


@pytest.mark.parametrize("name", STUDIES)
def test_published_size_is_as_published(name):
    study = read_study(ROOT / "studies" / name / "study.yaml")
    trained = [arm for arm in study.arms if arm.trained]
    clips = sum(
        study.cohorts[c] * len(arm.expressions) * arm.repeats
        for arm in trained
        for c in arm.cohorts
    )
    assert (study.people, clips) == {"myasthenia": (139, 1668), "icu_pain": (63, 746)}[name]
    load_params(ROOT / "params.yaml", study.params)


def test_a_small_file_that_does_not_fit_is_one_sentence(tmp_path):
    shutil.copy(ROOT / "studies" / "icu_pain" / "study.yaml", tmp_path)
    with pytest.raises(StudyError, match=r"small\.yaml is missing"):
        small_values(tmp_path)
    (tmp_path / "small.yaml").write_text("input: {reference: calm}\n")
    with pytest.raises(StudyError, match=r"input\.reference names 'calm'"):
        small_values(tmp_path)
    (tmp_path / "small.yaml").write_text("cohort: {ward: 2}\n")
    with pytest.raises(StudyError, match="the nearest is 'cohorts'"):
        small_values(tmp_path)
    values = {"name": "x"}
    with pytest.raises(StudyError):
        small_study(values, tmp_path / "small.yaml")


def test_a_study_is_as_small_as_the_one_that_it_is_like(tmp_path):
    ward, other = tmp_path / "icu_pain", tmp_path / "other"
    shutil.copytree(ROOT / "studies" / "icu_pain", ward)
    other.mkdir()
    (other / "study.yaml").write_text("{name: other, like: icu_pain, title: Another}\n")
    assert small_values(other) == small_values(ward) | {"name": "other", "title": "Another"}
    (other / "small.yaml").write_text("title: Small\n")
    assert small_values(other)["title"] == "Small"
    assert small_values(other)["cohorts"] != small_values(ward)["cohorts"]
