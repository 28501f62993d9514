"""The same chunks on every runner, with real worker processes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.runners import task_runner, workers
from pipeline.errors import ParamsError

ROOT = Path(__file__).parents[2]

WORK = """
import os

def write_names(jobs, store):
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(f"{job.name} by {os.getpid()}")

def write_ticks(jobs, store):
    import dask
    for job in jobs:
        with store.making(job.key) as folder:
            tick = dask.config.get("distributed.admin.tick.interval")
            (folder / "name.txt").write_text(f"{job.name} by {os.getpid()} ticks every {tick}")

def die(jobs, store):
    os.kill(os.getpid(), 9)  # as the kernel does when memory runs out
"""
RUN = """
import os, sys
import toywork
from prefect import flow
from flows.chunks import make_all
from flows.runners import task_runner
from flows.stage import say_errors
from pipeline.store.store import Job

@flow(name="toy")
def toy():
    jobs = [Job(key=letter * 4, name=letter, item=None) for letter in "abcd"]
    store = make_all("toy", jobs, getattr(toywork, sys.argv[1]), 1)
    print(*((store.path(job.key) / "name.txt").read_text() for job in jobs), sep=chr(10))
    print("parent", os.getpid())

if __name__ == "__main__":
    raise SystemExit(say_errors(toy.with_options(task_runner=task_runner())))
"""


@pytest.fixture
def make(server, workspace, monkeypatch):
    """The outcome of four items made by a function of `toywork` on a runner, in a process."""
    (workspace / "toywork.py").write_text(WORK)
    (workspace / "run.py").write_text(RUN)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{workspace}")
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setenv("PALLOR_WORKERS", "2")

    def run(runner, work):
        monkeypatch.setenv("PALLOR_RUNNER", runner)
        command = [sys.executable, "run.py", work]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


# Ray, whose daemons do not come up in time on a starved machine, was run by hand (docs/scale.md).
@pytest.mark.parametrize(
    ("runner", "work"),
    [("threads", "write_names"), ("processes", "write_names"), ("dask", "write_ticks")],
)
def test_a_runner_makes_everything_and_workers_of_an_own_dask_cluster_seldom_watch_themselves(
    make, runner, work
):
    said = make(runner, work).stdout
    makers = dict(re.findall(r"^([abcd]) by (\d+)", said, flags=re.MULTILINE))
    assert list(makers) == list("abcd")
    parent = re.search(r"^parent (\d+)$", said, flags=re.MULTILINE)[1]
    assert (parent in makers.values()) == (runner == "threads")
    ticks = re.findall(r" ticks every (.*)$", said, flags=re.MULTILINE)
    assert ticks == (["1s"] * 4 if runner == "dask" else [])


def test_a_killed_worker_process_is_one_sentence(make):
    run = make("processes", "die")
    assert run.returncode == 2
    assert "pallor: toy: a worker process was killed, most likely because memory" in run.stderr


def test_a_cluster_that_stands_is_used_by_its_address(monkeypatch):
    monkeypatch.setenv("PALLOR_RUNNER", "dask")
    monkeypatch.setenv("PALLOR_DASK_ADDRESS", "tcp://127.0.0.1:8786")
    assert task_runner().address == "tcp://127.0.0.1:8786"


def test_an_own_dask_cluster_listens_on_loopback_alone(monkeypatch):
    monkeypatch.setenv("PALLOR_RUNNER", "dask")
    monkeypatch.delenv("PALLOR_DASK_ADDRESS", raising=False)
    assert task_runner().cluster_kwargs["host"] == "127.0.0.1"


@pytest.mark.parametrize("given", ["0", "-1", "two", ""])
def test_a_wrong_number_of_workers_is_refused(given, monkeypatch):
    monkeypatch.setenv("PALLOR_WORKERS", given)
    with pytest.raises(ParamsError, match="PALLOR_WORKERS"):
        workers()


def test_an_unknown_runner_names_the_nearest(monkeypatch):
    monkeypatch.setenv("PALLOR_RUNNER", "thread")
    with pytest.raises(ParamsError, match="'threads'"):
        task_runner()


def test_a_runner_that_is_not_installed_says_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    monkeypatch.setenv("PALLOR_RUNNER", "dask")
    with pytest.raises(ParamsError, match=r"pip install --no-deps -r requirements-scale\.lock"):
        task_runner()


def test_ray_is_asked_for_the_workers_and_no_dashboard(monkeypatch):
    monkeypatch.setenv("PALLOR_RUNNER", "ray")
    monkeypatch.setenv("PALLOR_WORKERS", "3")
    monkeypatch.delenv("PALLOR_RAY_ADDRESS", raising=False)
    asked = {"num_cpus": 3, "include_dashboard": False}
    assert asked.items() <= task_runner().init_kwargs.items()
