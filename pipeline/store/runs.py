"""Run records: who ran what, when, where and for how long.

They lie in `.pallor/runs/` of a workspace, outside everything DVC hashes, because a clock or a host
name in a stage's output would change every hash on every run. Nothing else here reads a clock.
"""

import getpass
import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.files import write_json
from pipeline.portable import standing
from pipeline.store.hardware import hardware

RUNS = Path(".pallor/runs")  # below a workspace, even where several share a home
PACKAGES = ("pallor", "bpy", "torch", "numpy", "opencv-python", "prefect", "dvc")


@contextmanager
def recording(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """Keep a record of the block in `folder`/<start>-<name>-<pid>.json.

    The record yielded is the caller's to add to. `outcome` is running, completed or failed; a
    record that stays at running is of a process that was killed.
    """
    started = datetime.now(UTC)
    clock = time.monotonic()
    record: dict[str, Any] = {"name": name, "outcome": "running", "error": None, **_facts(started)}
    path = folder / f"{started:%Y%m%dT%H%M%S.%f}-{name}-{os.getpid()}.json"
    write_json(path, record)
    try:
        yield record
        record["outcome"] = "completed"
    except BaseException as error:
        record.update(outcome="failed", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        record["seconds"] = round(time.monotonic() - clock, 3)
        write_json(path, record)


def _facts(started: datetime) -> dict[str, Any]:
    return {
        "started": started.isoformat(timespec="milliseconds"),
        "host": socket.gethostname(),
        "user": _user(),
        "pid": os.getpid(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "hardware": hardware(),
        "arithmetic": standing()[1],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "revision": _revision(),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return str(os.getuid())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """The commit checked out here, with `-dirty` when files differ; None outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return run.stdout.strip() or None
