"""The same chunks on every runner, with real worker processes."""

import importlib
import os
import sys

import pytest
from prefect import flow

from flows.chunks import make_all
from flows.runners import RUNNERS, task_runner, workers
from pipeline.errors import ParamsError, StageError
from pipeline.store import Job

WORK = """
import os

def write_names(jobs, store):
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(f"{job.name} by {os.getpid()}")

def die(jobs, store):
    os.kill(os.getpid(), 9)  # as the kernel does when memory runs out
"""


@pytest.fixture
def make(server, workspace, monkeypatch):
    """make_all of four items with a function of a module that worker processes import."""
    (workspace / "toywork.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(workspace))
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setenv("PALLOR_WORKERS", "2")
    monkeypatch.delitem(sys.modules, "toywork", raising=False)
    work = importlib.import_module("toywork")

    def run(runner, name):
        monkeypatch.setenv("PALLOR_RUNNER", runner)
        jobs = [Job(key=letter * 4, name=letter, item=None) for letter in "abcd"]

        @flow(name="toy", task_runner=task_runner())
        def toy():
            return make_all("toy", jobs, getattr(work, name), 1)

        return toy()

    return run


@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_makes_everything(make, runner):
    store = make(runner, "write_names")
    said = [(store.path(name * 4) / "name.txt").read_text().split(" by ") for name in "abcd"]
    assert [name for name, _ in said] == list("abcd")
    elsewhere = {int(pid) for _, pid in said} - {os.getpid()}
    assert bool(elsewhere) == (runner != "threads")


@pytest.mark.parametrize("runner", ["processes"])
def test_a_killed_worker_process_is_one_sentence(make, runner):
    with pytest.raises(StageError, match="toy: a worker process was killed, most likely because"):
        make(runner, "die")


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
