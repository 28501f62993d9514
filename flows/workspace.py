"""The workspace as a place to work in: its home folder, and who may work in it.

`pipeline.workspace` has the paths of its files. Locks are kernel
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

from flows.patience import waiting
from pipeline.errors import StageError

LOCKS = Path(".dvc/tmp")


def home() -> Path:
    """The absolute folder of assets, work store and Prefect's files.

    `.pallor` in the workspace, or PALLOR_HOME, through which workspaces share them. Raises
    StageError when that begins with the home folder (~) of nobody.
    """
    given = Path(os.environ.get("PALLOR_HOME") or ".pallor")
    try:
        return given.expanduser().absolute()
    except RuntimeError as error:
        raise StageError(f"PALLOR_HOME is {given}: {error}; write the folder out") from error


def is_workspace() -> bool:
    """Is this folder a workspace?"""
    return Path("dvc.yaml").is_file() and Path(".dvc").is_dir()


def lacking() -> str:
    """What the current folder lacks to be a workspace."""
    return "no .dvc" if Path("dvc.yaml").is_file() else "no dvc.yaml"


def require_workspace() -> None:
    """Raise StageError outside a workspace."""
    if not is_workspace():
        raise StageError(f"{Path.cwd()} is no Pallor workspace ({lacking()}); run inside a clone")


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
            with waiting(f"{name} waits for {_holder(path)} to end"):
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
        command, process = mark["command"], f"process {mark['pid']} on {mark['host']}"
    except (ValueError, KeyError, TypeError):  # not written yet, or by something else
        return "another process"
    return f"`{command}` ({process}, since {mark.get('since')})"
