"""The pages of a study on this machine: made when something changed, served on loopback alone."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.errors import PallorError, StageError
from pipeline.exports.page import page_digest
from pipeline.files import read_json
from pipeline.study import read_study
from pipeline.workspace import Workspace

HOST = "127.0.0.1"
NEAR = 50  # ports after a busy one that are tried, to offer the next
# The page may run its own code and the runtime's, and may ask nobody but where it came from.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class BusyError(PallorError):
    """The port is taken."""


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder, once it is made; reading only."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012  # as the class above has it
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json", ".onnx": "application/octet-stream",
    }  # fmt: skip

    def __init__(self, *arguments: Any, site: "Site", **more: Any) -> None:
        self.site = site
        super().__init__(*arguments, directory=str(site.folder), **more)

    def do_GET(self) -> None:
        if self.headers.get("Host", "").split(":")[0] not in (HOST, "localhost"):
            self.send_error(403, "ask by 127.0.0.1 or localhost")
        elif failure := self.site.wait():
            self.send_error(503, failure)
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: who looked at what is nobody's business."""


class Site:
    """The folder of a study's pages, made by a process of its own where it is not up to date."""

    def __init__(self, workspace: Workspace, home: Path) -> None:
        self.folder = home / "web" / workspace.study
        self._study = workspace.study
        self._version = page_digest(workspace, read_study(workspace.study_file))
        self._ready = threading.Event()
        self._failure = ""

    def fresh(self) -> bool:
        """Was the folder made of what there is now?"""
        about = self.folder / "files.json"
        return about.is_file() and read_json(about)["version"] == self._version

    def prepare(self, say: Callable[[str], None]) -> None:
        """Make the folder where it is not fresh, meanwhile; requests wait for it."""
        if self.fresh():
            self._ready.set()
        else:
            threading.Thread(target=self._make, args=(say,), daemon=True).start()

    def wait(self) -> str:
        """Wait until the folder is made; what went wrong, or nothing."""
        self._ready.wait()
        return self._failure

    def _make(self, say: Callable[[str], None]) -> None:
        command = [sys.executable, "-m", "flows.cli", "web", "--study", self._study]
        run = subprocess.run(
            [*command, "--out", str(self.folder)], capture_output=True, text=True, check=False
        )
        if run.returncode:
            said = (run.stderr.strip() or run.stdout.strip() or "without a word").splitlines()
            self._failure = f"the pages could not be made: {said[-1]}"
        say(self._failure or "the study's models are exported; the pages are ready")
        self._ready.set()


def server(site: Site, port: int) -> ThreadingHTTPServer:
    """A server of the site on a port of loopback; BusyError offers the next free one."""
    require_free(port)
    return ThreadingHTTPServer((HOST, port), partial(Handler, site=site))


def require_free(port: int) -> None:
    """Raise BusyError, with the next free port, when something listens on this one.

    Raises StageError for a number that no port has.
    """
    if not 0 <= port <= 65535:  # 0: any that is free
        raise StageError(f"there is no port {port}; ports are 1 to 65535")
    if taken(port):
        offers = (other for other in range(port + 1, min(port + NEAR, 65536)) if not taken(other))
        offer = next(offers, None)
        hint = f"; `--port {offer}` is free" if offer else "; name another with --port"
        raise BusyError(f"port {port} is in use by another program{hint}")


def taken(port: int) -> bool:
    """Does something listen on this port of loopback?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
