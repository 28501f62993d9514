"""No process outlives who started it.

`kill -9` reaches one process and leaves its children writing. Here a child watches its parent and,
when that is gone, ends itself with everything it started. As a program, `python -m flows.guard PID
COMMAND...` does so for a command that cannot watch by itself (DVC, Prefect's server). Where the
kernel can (Linux), COMMAND also ends when the guard itself is killed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import psutil

INTERVAL = 0.25  # seconds between two looks
SHELLS = ("sh", "bash", "dash", "zsh", "fish", "ksh", "busybox")


def kill_tree(pid: int) -> None:
    """Kill a process and all it started; those already gone are no error."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue


def die_with(parents: Sequence[psutil.Process]) -> threading.Thread:
    """From now on, end this process and all it started when any of `parents` has ended.

    Returns the thread that watches; it does not end before the process does.
    """
    watcher = threading.Thread(target=_watch, args=(tuple(parents),), daemon=True)
    watcher.start()
    return watcher


def starters() -> list[psutil.Process]:
    """Who started this process: its parent and, when that is only a shell, the one before."""
    parents = psutil.Process().parents()
    return parents[:2] if parents and parents[0].name() in SHELLS else parents[:1]


def _watch(parents: tuple[psutil.Process, ...]) -> None:
    while all(_alive(parent) for parent in parents):
        time.sleep(INTERVAL)
    try:
        # Again until none is left: one that is killed may have been about to start another.
        while children := [c for c in psutil.Process().children(recursive=True) if _alive(c)]:
            for child in children:
                kill_tree(child.pid)
            time.sleep(0.01)
    finally:
        os._exit(1)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_with_guard() -> None:
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def main() -> int:
    """Run COMMAND until it or process PID ends; its exit code, 128 + n for signal n."""
    try:
        parent = psutil.Process(int(sys.argv[1]))
    except psutil.NoSuchProcess:  # killed before we came up
        return 1
    tie = _end_with_guard if sys.platform == "linux" else None
    with subprocess.Popen(sys.argv[2:], preexec_fn=tie) as command:  # before there is a thread
        watcher = die_with([parent])
        code = command.wait()
    if not _alive(parent):
        watcher.join()  # it has killed COMMAND; what COMMAND started comes next, and then we
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
