"""One Prefect server for a whole run: the one that answers, else one of our own on loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from prefect.client.orchestration import get_client
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.guard import kill_tree
from flows.patience import QUIET, waiting
from flows.proxies import direct, is_loopback
from pipeline.errors import PallorError

STARTUP = 300.0  # seconds; 5 on an idle machine, minutes on one that is starved
LOCKED = {401, 403}  # HTTP: who asks is not known, or may not
LOGIN = (
    "set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY for Prefect Cloud, or unset PREFECT_API_URL "
    "for a server of the run's own"
)


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
    when it wants a login that we have not, and when it is gone while the block runs. A server on
    loopback is spoken to without a proxy.
    """
    given = os.environ.get("PREFECT_API_URL")
    if given and _answers(given):
        with direct(given), _api_url(given), _told_when_gone(given):
            _require_access(given)
            yield given
        return
    if given:
        print(f"prefect: {given} does not answer; starting a server here", flush=True)
    loopback = "http://127.0.0.1"
    with direct(loopback), _own_server(home) as url, _api_url(url), _told_when_gone(url):
        try:
            yield url
        finally:
            if _answers(url):
                APILogHandler().flush()  # else its thread writes to a server that is gone


def _require_access(url: str) -> None:
    """Raise ServerError when the server wants a login, or is something else than Prefect's."""
    try:
        with get_client(sync_client=True) as client:
            client.read_flow_runs(limit=1)
    except httpx.HTTPStatusError as error:
        _raise_locked(url, error.response.status_code)
        raise ServerError(
            f"{url} is no Prefect API (HTTP {error.response.status_code}); its address ends in /api"
        ) from error
    except ValueError as error:  # a page where JSON must be
        raise ServerError(f"{url} is no Prefect API; its address ends in /api") from error


def _raise_locked(url: str, status: int) -> None:
    if status in LOCKED:
        raise ServerError(f"the Prefect server at {url} wants a login (HTTP {status}); {LOGIN}")


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
    # A login is for servers that others reach; nobody here would know it.
    environment = {k: v for k, v in os.environ.items() if k != "PREFECT_SERVER_API_AUTH_STRING"}
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, env=environment
        )
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        kill_tree(process.pid)
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    start, told = time.monotonic(), False
    reason = f"Prefect's server starts, at most {STARTUP:.0f} s"
    with waiting(reason):
        while not _answers(url):
            seconds = time.monotonic() - start
            if process.poll() is not None or seconds > STARTUP:
                raise ServerError(f"Prefect's server did not start; {log} says why")
            if seconds > QUIET and not told:
                told = True
                print(f"prefect: waiting: {reason}", flush=True)
            time.sleep(0.1)


def _answers(url: str) -> bool:
    """Is somebody there? ServerError when it is at the price of a login.

    Asked with the client that Prefect uses, so that what holds for one holds for the other.
    """
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/health", timeout=2, trust_env=not is_loopback(url)
        )  # fmt: skip
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError):
        return False
    _raise_locked(url, answer.status_code)
    return answer.status_code == 200


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
