"""One Blender process: pinned to a core of its own, watched, and told apart by how it ended."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

import avatars
from pipeline.errors import ClipError
from pipeline.store.store import Store

COMMAND = [sys.executable, "-m", "avatars.worker"]
# Its threads share one core. OpenBLAS's wait for each other by spinning, which on Linux 6.18 takes
# the core from the very thread they wait for: a person took 12 s instead of 2.6 (the same bytes).
ALONE = {"OPENBLAS_NUM_THREADS": "1"}
LOCKS = Path(tempfile.gettempdir()) / f"pallor-cores-{os.getuid()}"


def worker_lines(request: Path, patience: float, store: Store) -> Iterator[str]:
    """The lines a worker prints for the request file, as they come; its end goes to the log.

    A worker that says nothing for `patience` seconds is killed. Raises ClipError that says how the
    worker ended when that was not well: its own sentence, out of memory, a crash, or silence.
    """
    with (
        request.open() as stdin,
        request.with_name("stderr").open("w+") as stderr,
        subprocess.Popen(
            COMMAND, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True,
            cwd=Path(avatars.__file__).parent.parent,
            # Blender's own folder, which a killed one leaves behind, lies where `sweep` looks.
            env=os.environ | ALONE | {"TMPDIR": str(request.parent.absolute())},
        ) as worker,
    ):  # fmt: skip
        silent = threading.Event()
        peak: float | None = None  # none while it has said nothing
        try:
            for line in _watched(worker, patience, silent):
                peak = _peak_mb(worker.pid) or peak  # one that has just ended tells none
                yield line
        except BaseException:
            os.kill(worker.pid, signal.SIGKILL)  # nobody asks for its clips any more
            raise
        finally:
            seconds = _reap(worker)
            store.log("worker ended", code=worker.returncode, peak_mb=peak, core_seconds=seconds)
        stderr.seek(0)
        if sentence := _fault(worker.returncode, silent.is_set(), patience, stderr.read()):
            raise ClipError(sentence)


@contextmanager
def own_core() -> Iterator[int | None]:
    """A core to which no other worker on this machine is pinned; None when all are taken.

    File locks, because workers of several processes (runner `processes`, Dask, a second run) would
    else meet on the first core.
    """
    LOCKS.mkdir(mode=0o700, exist_ok=True)
    for core in sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []:
        lock = FileLock(LOCKS / str(core), blocking=False)
        try:
            lock.acquire()
        except Timeout:
            continue
        try:
            yield core
        finally:
            lock.release()
        return
    yield None


def _watched(
    worker: "subprocess.Popen[str]", patience: float, silent: threading.Event
) -> Iterator[str]:
    def end() -> None:
        silent.set()
        os.kill(worker.pid, signal.SIGKILL)  # not reaped before the timer is cancelled

    assert worker.stdout is not None
    while True:
        timer = threading.Timer(patience, end)
        timer.daemon = True
        timer.start()
        try:
            line = worker.stdout.readline()
        finally:
            timer.cancel()
            timer.join()
        if not line:
            return
        yield line.strip()


def _peak_mb(pid: int) -> float | None:
    """The most memory a living process has held, MB; rusage would count its parent's as well.

    None where the system does not tell, or no longer: an ended process has no memory.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # no Linux
        return None
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return round(int(lines[0].split()[1]) * 1024 / 1e6, 1) if lines else None


def _reap(worker: "subprocess.Popen[str]") -> float:
    """Wait for a worker as Popen does; its core-seconds, which Popen does not tell."""
    _, status, usage = os.wait4(worker.pid, 0)
    worker.returncode = os.waitstatus_to_exitcode(status)
    return round(usage.ru_utime + usage.ru_stime, 1)


def _fault(code: int, silent: bool, patience: float, said: str) -> str:
    if silent:
        return f"a Blender worker said nothing for {patience:.0f} s and was ended"
    if code == -signal.SIGKILL:
        return (
            "a Blender worker was killed, most likely because memory ran out; "
            "set PALLOR_WORKERS to fewer"
        )
    if code < 0:
        return f"a Blender worker crashed with {signal.Signals(-code).name}"
    lines = said.strip().splitlines() or ["it ended without a word"]
    return f"a Blender worker failed: {lines[-1]}" if code else ""
