"""Where a workspace keeps its files, and who may work in it.

A workspace is a folder with `dvc.yaml`: a clone, or the demo's copy of one. Locks are kernel
locks on files below `.dvc/tmp`, so a killed process never leaves one behind.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from pipeline.errors import StageError

PLAN = Path("data/plan.jsonl")
CLIPS = Path("data/clips")
PORTRAITS = Path("data/portraits")
TRANSFERRED = Path("data/transferred")
FACES = Path("data/faces")
SPLIT = Path("data/split")
OVERSAMPLED = Path("data/oversampled")
MODELS = Path("data/models")
PREDICTIONS = Path("data/predictions")
METRICS = Path("metrics")
PLOTS = Path("plots")
REPORT = Path("report")
SHEET = Path("docs/contact-sheet.png")

LOCKS = Path(".dvc/tmp")


def home() -> Path:
    """The absolute folder of assets, work store and Prefect's files.

    `.pallor` in the workspace, or PALLOR_HOME, through which workspaces share them.
    """
    return Path(os.environ.get("PALLOR_HOME", ".pallor")).absolute()


def is_workspace() -> bool:
    """Is this folder a workspace?"""
    return Path("dvc.yaml").is_file() and Path(".dvc").is_dir()


def require_workspace() -> None:
    """Raise StageError outside a workspace."""
    if not is_workspace():
        raise StageError(f"{Path.cwd()} is no Pallor workspace (no dvc.yaml); run inside a clone")


@contextmanager
def only_run(command: str) -> Iterator[None]:
    """Hold the workspace, or raise StageError that says who holds it."""
    path = LOCKS / "pallor-run.lock"
    with _opened(path) as stream:
        if not _taken(stream):
            raise StageError(f"this workspace is in use by {_holder(path)}; wait for it or stop it")
        _sign(stream, command)
        yield


@contextmanager
def only_stage(name: str) -> Iterator[None]:
    """Wait until no other stage process works in this workspace, then hold it.

    A killed `dvc repro` can leave its stage behind for a moment, writing where the next one writes.
    """
    path = LOCKS / "pallor-stage.lock"
    with _opened(path) as stream:
        if not _taken(stream):
            print(f"{name}: waiting for {_holder(path)} to end", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        _sign(stream, name)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        yield stream


def _taken(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(stream: IO[str], command: str) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    signature = {"command": command, "pid": os.getpid(), "host": socket.gethostname()}
    stream.truncate(0)
    stream.write(json.dumps({**signature, "since": since}))
    stream.flush()


def _holder(path: Path) -> str:
    try:
        mark = json.loads(path.read_text())
    except json.JSONDecodeError:
        return "another process"
    return f"`{mark['command']}` (process {mark['pid']} on {mark['host']}, since {mark['since']})"
