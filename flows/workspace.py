"""The workspace as a place to work in: its home folder, and who may work in it.

`pipeline.workspace` has the paths of its files. Locks are the kernel's (through filelock), on files
below `.dvc/tmp`, so a killed process never leaves one behind.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

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
    lock = _lock("pallor-run")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        holder = _holder("pallor-run")
        raise StageError(f"this workspace is in use by {holder}; wait for it or stop it") from error
    with _signed(lock, "pallor-run", command):
        yield


def require_rest(command: str) -> None:
    """Raise StageError that says who works in the workspace, when a run or a stage does."""
    for name in ("pallor-run", "pallor-stage"):
        try:
            if (LOCKS / f"{name}.lock").is_file():
                with _lock(name).acquire(blocking=False):
                    continue
        except Timeout as error:
            raise StageError(
                f"{command} looks at finished work, and {_holder(name)} is still at work here; "
                "ask again when it has ended"
            ) from error
        except OSError:  # where nothing can be written nobody works
            return


@contextmanager
def only_stage(name: str) -> Iterator[None]:
    """Wait until no other stage process works in this workspace, then hold it.

    A killed `dvc repro` can leave its stage behind for a moment, writing where the next one writes.
    """
    lock = _lock("pallor-stage")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        holder = _holder("pallor-stage")
        print(f"{name}: waiting for {holder} to end", flush=True)
        with waiting(f"{name} waits for {holder} to end"):
            lock.acquire()
    with _signed(lock, "pallor-stage", name):
        yield


def _lock(name: str) -> FileLock:
    LOCKS.mkdir(parents=True, exist_ok=True)
    return FileLock(LOCKS / f"{name}.lock", thread_local=False)


@contextmanager
def _signed(lock: FileLock, name: str, command: str) -> Iterator[None]:
    """Leave who holds the lock beside it; released when the block ends."""
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    signature = {"command": command, "pid": os.getpid(), "host": socket.gethostname()}
    try:
        (LOCKS / f"{name}.json").write_text(json.dumps({**signature, "since": since}))
        yield
    finally:
        lock.release()


def _holder(name: str) -> str:
    path = LOCKS / f"{name}.json"
    try:
        mark = json.loads(path.read_text())
        command, process = mark["command"], f"process {mark['pid']} on {mark['host']}"
    except (OSError, ValueError, KeyError, TypeError):  # not written yet, or by something else
        return "another process"
    return f"`{command}` ({process}, since {mark.get('since')})"
