"""Processes of one thread that train: started once, and asked one thing after another.

Importing torch takes two seconds, a tiny training half of one; so a worker that has answered is
kept for the next request. Trainings share the cores, and threads that wait would spin.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from pipeline.closure import ROOT
from pipeline.errors import PallorError, StageError
from pipeline.portable import standing

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # cuBLAS' own condition for sums in one order
}
ANSWER = '{"fault": '  # how a worker's answer begins; all else that it says is for people
SILENT = "it ended without a word (killed for memory?)"


def delegate(module: str, request: dict[str, Any]) -> None:
    """Have a worker `python -m module` do what `request`, plain values, says.

    What it prints meanwhile goes to stdout. Raises StageError with its sentence when it fails; it
    is then ended, as it is when we are interrupted.
    """
    kept = _KEPT.setdefault((module, standing()[0]), [])
    try:
        worker = kept.pop()
    except IndexError:
        worker = _Worker(module)
    try:
        worker.ask(request)
    except BaseException:
        worker.end()
        raise
    kept.append(worker)


def serve(work: Callable[[dict[str, Any]], None]) -> None:
    """In a worker: do each request that comes on stdin, until there are no more."""
    for line in sys.stdin:
        fault = None
        try:
            work(json.loads(line))
        except PallorError as error:
            fault = str(error)
        print(json.dumps({"fault": fault}), flush=True)


class _Worker:
    def __init__(self, module: str) -> None:
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115, `end` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], env=os.environ | ONE_THREAD, text=True, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints,
        )  # fmt: skip

    def ask(self, request: dict[str, Any]) -> None:
        fault = self._answer(json.dumps(request) + "\n")
        if fault is not None:
            raise StageError(fault)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def _answer(self, line: str) -> str | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            return self._last_words()
        for said in self._process.stdout:
            if said.startswith(ANSWER):
                fault: str | None = json.loads(said)["fault"]
                return fault
            print(said, end="", flush=True)
        return self._last_words()

    def _last_words(self) -> str:
        self._process.wait()
        self._complaints.seek(0)
        return (self._complaints.read().strip().splitlines() or [SILENT])[-1]


_KEPT: dict[tuple[str, str], list[_Worker]] = {}  # by module and arithmetic


@atexit.register
def _end_all() -> None:
    for kept in _KEPT.values():
        for worker in kept:
            worker.end()
