"""One Prefect server for a whole run: the one that answers, else one of our own on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.guard import kill_tree
from pipeline.errors import PallorError

STARTUP = 300.0  # seconds; 5 on an idle machine, minutes on one that is starved


class ServerError(PallorError):
    """Prefect's server does not come up."""


class ServerGoneError(ServerError):
    """Prefect's server died while a run went on."""

    at_once = True  # for flows.stage: Prefect would try for minutes to tell it the last events


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The API address of a server that answers, also set as PREFECT_API_URL for this process.

    PREFECT_API_URL is taken when it answers. Otherwise a server is started on 127.0.0.1 with its
    files below `home`, and stopped when the block ends. Raises ServerError when it cannot start,
    and when it is gone while the block runs.
    """
    given = os.environ.get("PREFECT_API_URL")
    if given and _answers(given):
        with _told_when_gone(given):
            yield given
        return
    if given:
        print(f"prefect: {given} does not answer; starting a server here", flush=True)
    with _own_server(home) as url, _api_url(url), _told_when_gone(url):
        try:
            yield url
        finally:
            if _answers(url):
                APILogHandler().flush()  # else its thread writes to a server that is gone


@contextmanager
def _told_when_gone(url: str) -> Iterator[None]:
    """What Prefect raises without its server, as one sentence."""
    cause: Exception | None = None
    try:
        yield
    except PallorError:
        raise
    except Exception as error:
        if _answers(url):
            raise
        cause = error
    if not _answers(url):  # in its last seconds, too: else we would wait for it at the exit
        raise ServerGoneError(
            f"Prefect's server at {url} stopped answering; finished work is kept, run again"
        ) from cause


@contextmanager
def _own_server(home: Path) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    log = home / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "flows.guard", str(os.getpid()),
        sys.executable, "-m", "prefect", "server", "start",
        "--host", "127.0.0.1", "--port", str(port), "--no-scheduler", "--no-late-runs",
    ]  # fmt: skip
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        kill_tree(process.pid)
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTUP
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"Prefect's server did not start; {log} says why")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _api_url(url: str) -> Iterator[None]:
    # Prefect read the environment when it was imported, so this process's settings have to name
    # the server too.
    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = url
    try:
        with temporary_settings({PREFECT_API_URL: url}):
            yield
    finally:
        if before is None:
            del os.environ["PREFECT_API_URL"]
        else:
            os.environ["PREFECT_API_URL"] = before
