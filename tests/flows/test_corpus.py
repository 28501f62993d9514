"""The parent flow on real DVC and a real Prefect server, with toy stages that take seconds."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import get_client

from flows.corpus import bring_up, run_studies
from flows.stale import mark_stale, workspace_tag
from pipeline.errors import AssetError, StageError, StudyError
from pipeline.files import digest
from pipeline.store.store import Store

STAGES = """
stages:
  plan:
    cmd: python toy.py plan
    params: [seed]
    outs: [plan.json]
  grow:
    cmd: python toy.py grow
    deps: [toy.py, plan.json]
    outs: [grown]
  count:
    cmd: python toy.py count
    deps: [toy.py, grown]
    outs: [counted.txt]
"""
TOY = """
import json, os, sys, time
from pathlib import Path
from flows.stage import run_heavy_stage, run_stage
from pipeline.errors import StageError
from pipeline.files import digest, write_json, writing_folder
from pipeline.params import load_params
from pipeline.store.store import Job

def plan():
    seed = load_params().seed
    if seed < 0:
        raise StageError("seed must not be negative here")
    write_json(Path("plan.json"), [f"{seed}-{number}" for number in range(8)])

def work(jobs, store):
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "text").write_text(job.item * 100)
            time.sleep(float(os.environ.get("TOY_SECONDS", "0.1")))
            (folder / "more").write_text(job.item)
        store.log("made", name=job.name)

def grow():
    jobs = [Job(digest(name), name, name) for name in json.loads(Path("plan.json").read_text())]
    store = make_all("grow", jobs, work, 2)
    with writing_folder(Path("grown")) as part:
        for job in jobs:
            (part / job.name).write_text((store.path(job.key) / "text").read_text())

def count():
    Path("counted.txt").write_text(str(len(list(Path("grown").iterdir()))))

if __name__ == "__main__":
    name = sys.argv[1]
    if name == "grow":  # a light stage is spared Prefect, as in flows.stage
        from prefect import flow
        from flows.chunks import make_all, task_runner
        run_heavy_stage("grow", flow(grow).with_options(task_runner=task_runner()))
    run_stage(name, {"plan": plan, "count": count}[name])
"""
RUN = [sys.executable, "-c", "from flows.corpus import bring_up; bring_up()"]
LINKED = shutil.ignore_patterns("assets")  # a link, in every workspace already


@pytest.fixture
def toy(workspace, server, assets, monkeypatch):
    """A workspace of three toy stages on the shared server."""
    (workspace / ".pallor").mkdir()
    (workspace / ".pallor" / "assets").symlink_to(assets.root)
    shutil.copytree(Path(__file__).parents[2] / "portraits", workspace / "portraits")
    (workspace / "dvc.yaml").write_text(STAGES)
    (workspace / "toy.py").write_text(TOY)
    (workspace / "params.yaml").write_text("seed: 7\n")
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return workspace


@pytest.fixture
def grown(toy, made_once):
    """The same after a whole run, which is made once."""

    def grow(root):
        bring_up()
        shutil.copytree(toy, root, ignore=LINKED, dirs_exist_ok=True)

    shutil.copytree(made_once("grown-toy", grow), toy, dirs_exist_ok=True)
    return toy


def made(workspace):
    log = workspace / ".pallor/work/grow.log.jsonl"
    rows = map(json.loads, log.read_text().splitlines())
    return [row["name"] for row in rows if row["event"] == "made"]


def flow_runs(tag):
    with get_client(sync_client=True) as client:
        return [run for run in client.read_flow_runs() if tag in run.tags]


def test_every_stage_runs_once_and_shows_as_a_run(toy, capsys):
    bring_up()
    assert (toy / "counted.txt").read_text() == "8"
    said = capsys.readouterr().out
    assert "grow 8/8" in said
    assert "count: done" in said
    [record] = (toy / ".pallor/runs").glob("*-corpus-*.json")
    stages = json.loads(record.read_text())["stages"]
    assert [(s["stage"], s["outcome"]) for s in stages] == [
        ("plan", "Done"), ("grow", "Done"), ("count", "Done")
    ]  # fmt: skip
    with get_client(sync_client=True) as client:
        runs = {run.id for run in flow_runs(workspace_tag()) if run.state.is_completed()}
        tasks = [t for t in client.read_task_runs() if t.flow_run_id in runs]
    assert len(runs) == 2  # the parent flow, and the heavy stage's own
    assert {"plan", "grow", "count", "7-0 .. 7-1"} <= {task.name for task in tasks}

    bring_up()
    assert "nothing to run" in capsys.readouterr().out
    assert len(made(toy)) == 8


def test_a_changed_item_is_made_alone_and_a_half_written_lock_set_aside(grown):
    whole = (grown / "dvc.lock").read_text()
    (grown / "dvc.lock").write_text(whole[: len(whole) // 2])
    shutil.rmtree(Store(grown / ".pallor", "grow").path(digest("7-3")))
    shutil.rmtree(grown / ".dvc/cache")
    shutil.rmtree(grown / "grown")
    bring_up()
    assert sorted(made(grown)) == sorted([*(f"7-{number}" for number in range(8)), "7-3"])
    assert (grown / "dvc.lock").read_text() == whole


@pytest.mark.parametrize("half", ["", '{"write": {"/wo'])
def test_path_locks_that_a_killed_dvc_wrote_half_do_not_stop_the_next_run(grown, half):
    (grown / "plan.json").unlink()
    (grown / ".dvc/tmp/rwlock").write_text(half)
    bring_up()
    assert (grown / "plan.json").is_file()


def test_a_run_cache_that_a_killed_dvc_did_not_fill_does_not_stop_the_next_run(grown, capsys):
    whole = (grown / "dvc.lock").read_text()
    for entry in (grown / ".dvc/cache/runs").glob("*/*/*"):
        entry.unlink()
    (grown / "dvc.lock").unlink()
    bring_up()
    assert "left empty by a killed run" in capsys.readouterr().out
    assert (grown / "dvc.lock").read_text() == whole


def test_a_stage_that_fails_is_told_in_its_own_sentence(toy):
    (toy / "params.yaml").write_text("seed: -1\n")
    with pytest.raises(StageError, match="plan failed: seed must not be negative here"):
        bring_up()
    [run] = flow_runs(workspace_tag())  # a light stage has no flow of its own
    assert run.state.is_failed()


def test_a_consent_that_ended_is_told_though_no_file_has_changed(toy):
    register = toy / "portraits" / "register.csv"
    (toy / "portraits" / "a.png").write_bytes(b"a picture")
    row = "a,a.png,CC0-1.0,written 2020-01-01 until 2020-12-31,,,,\n"
    register.write_text(register.read_text() + row)
    shutil.copytree(Path(__file__).parents[2] / "studies", toy / "studies")
    with pytest.raises(AssetError, match=r"register\.csv: a has consent .* expired before 20"):
        run_studies(["deterioration"])
    assert not (toy / "plan.json").exists()


def test_without_git_a_run_says_what_to_do_before_anything_runs(toy):
    config = toy / ".dvc" / "config"
    without_git = config.read_text()
    config.write_text("")
    with pytest.raises(StageError, match=r"has no \.git, .*; work in a `git clone`, or `git init`"):
        run_studies(["deterioration"])
    config.write_text(without_git)
    with pytest.raises(StudyError, match="deterioration"):  # it goes on to what it runs
        run_studies(["deterioration"])


def kill_at_random(rng):
    """Start a run and kill -9 one process of it; True when the run ended well nevertheless."""
    process = subprocess.Popen(RUN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.uniform(0.5, 7.0))
    try:
        family = [process, *psutil.Process(process.pid).children(recursive=True)]
        os.kill(rng.choice(family).pid, signal.SIGKILL)
    except (psutil.NoSuchProcess, ProcessLookupError):
        pass  # it was faster than we are
    return process.wait() == 0


def test_runs_killed_at_random_end_with_the_hashes_of_dvc_repro_alone(toy):
    rng = random.Random(5)
    for _ in range(4):
        kill_at_random(rng)
    bring_up()
    killed = (toy / "dvc.lock").read_text()
    for path in (toy / "dvc.lock", toy / "counted.txt"):
        path.unlink()
    subprocess.run([sys.executable, "-m", "dvc", "repro", "--force"], check=True)
    assert (toy / "dvc.lock").read_text() == killed
    assert not list(toy.rglob(".*.part"))


def test_runs_of_killed_processes_are_marked_crashed(toy, server, monkeypatch):
    monkeypatch.setenv("TOY_SECONDS", "60")  # the stage must not end before it is killed
    process = subprocess.Popen(RUN, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("grow 0/8"):
            break
    process.kill()
    process.communicate()
    assert mark_stale() >= 1
    assert {run.state.name for run in flow_runs(workspace_tag())} == {"Crashed"}
