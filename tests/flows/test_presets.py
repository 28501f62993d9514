import os
import shutil
from pathlib import Path

import pytest

from flows.presets import PRESETS, fitting, take
from flows.runners import RUNNERS, workers
from flows.settings import overridden
from pipeline.errors import ParamsError
from pipeline.settings import settings
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[2]
OURS = ("PALLOR_RUNNER", "PALLOR_WORKERS", "PALLOR_DASK_ADDRESS", "PALLOR_RAY_ADDRESS")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No setting of ours stands, no process is made nicer, and all is as before afterwards."""
    for name in OURS:
        monkeypatch.setenv(name, "x")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "nice", lambda _: 0)


@pytest.mark.parametrize("name", ["laptop", "workstation"])
def test_a_preset_sets_workers_that_fit_and_says_why(name):
    said = take(name)
    assert said.startswith(f"preset {name}: PALLOR_RUNNER=threads, PALLOR_WORKERS=")
    assert PRESETS[name].why in said
    assert 1 <= workers() <= (os.cpu_count() or 1)


def test_a_laptop_is_not_given_more_than_a_workstation():
    assert fitting(0.5) <= fitting()


def test_what_a_person_set_stays(monkeypatch):
    monkeypatch.setenv("PALLOR_WORKERS", "3")
    assert take("workstation").endswith("; PALLOR_WORKERS as you set it")
    assert workers() == 3


def test_a_cluster_is_as_wide_as_it_is(monkeypatch):
    from distributed import LocalCluster

    with LocalCluster(n_workers=3, processes=False, dashboard_address=None) as cluster:
        monkeypatch.setenv("PALLOR_DASK_ADDRESS", cluster.scheduler_address)
        take("cluster")
    assert (os.environ["PALLOR_RUNNER"], workers()) == ("dask", 3)


def test_a_cluster_that_is_nowhere_is_one_sentence():
    with pytest.raises(ParamsError, match="set PALLOR_DASK_ADDRESS or PALLOR_RAY_ADDRESS"):
        take("cluster")


@pytest.mark.parametrize("cards", [0, 2])
def test_a_gpu_preset_needs_a_card(cards, monkeypatch):
    monkeypatch.setattr("pipeline.store.hardware.hardware", lambda: {"gpus": ["A"] * cards})
    if not cards:
        with pytest.raises(ParamsError, match="shows no NVIDIA card"):
            take("gpu")
        return
    take("gpu")
    assert workers() == 4


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_touches_what_decides_a_byte(name, tmp_path, monkeypatch):
    """The variables are runners' alone, and the settings that DVC compares stay as they are."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "studies" / MAIN, tmp_path / "studies" / MAIN)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    before = settings(*overridden([], Workspace()))
    monkeypatch.setattr("pipeline.store.hardware.hardware", lambda: {"gpus": ["A"]})
    monkeypatch.setenv("PALLOR_RAY_ADDRESS", "ray://nowhere")
    monkeypatch.setenv("PALLOR_WORKERS", "2")
    take(name)
    assert set(PRESETS[name].settings()) <= {"PALLOR_RUNNER", "PALLOR_WORKERS"}
    assert os.environ["PALLOR_RUNNER"] in RUNNERS
    assert settings(*overridden([], Workspace())) == before
    assert (tmp_path / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
