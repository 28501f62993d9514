"""A Prefect server for the session, and a tiny workspace: real DVC, toy stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.server import prefect_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of one real Prefect server that all tests share."""
    with prefect_server(tmp_path_factory.mktemp("server")) as url:
        yield url


def dvc_init(root):
    """`dvc init` without git."""
    dvc = [sys.executable, "-m", "dvc", "init", "-q", "--no-scm"]
    subprocess.run(dvc, cwd=root, check=True, env={**os.environ, "CI": "1"})


@pytest.fixture
def workspace(made_once, tmp_path, monkeypatch):
    """An empty DVC workspace that is the current folder; its home is `.pallor` below it."""
    shutil.copytree(made_once("dvc-init", dvc_init), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PALLOR_HOME", str(tmp_path / ".pallor"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / ".dvcignore").write_text(".pallor/\n__pycache__/\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    return tmp_path
