"""Nothing is silent for long on a terminal: after ten quiet seconds it says what is waited for.

The line stands on stderr and is written over, so that what a command prints stays as it is.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

QUIET = 10.0  # seconds of silence that a person takes for a hang
TICK = 1.0  # seconds between two looks
CLEAR = "\r\033[K"  # back to the line's begin, and empty it

_reasons: list[str] = []  # what is waited for, the innermost last


@contextmanager
def waiting(reason: str) -> Iterator[None]:
    """What is waited for in the block, for whoever looks on."""
    _reasons.append(reason)
    try:
        yield
    finally:
        _reasons.remove(reason)


@contextmanager
def watched(command: str) -> Iterator[None]:
    """Watch over the silence of the block; only where stderr is a terminal."""
    if not command or not sys.stderr.isatty():
        yield
        return
    heard = _Heard(sys.stdout, sys.stderr)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(heard, over), daemon=True)
    before, sys.stdout = sys.stdout, heard
    watcher.start()
    try:
        with waiting(command):
            yield
    finally:
        over.set()
        watcher.join()
        heard.note()
        sys.stdout = before


class _Heard:
    """A stream that knows when it was written to last, and takes our line away before it is."""

    def __init__(self, stream: TextIO, terminal: TextIO) -> None:
        self._stream, self._terminal = stream, terminal
        self._last, self._shown = time.monotonic(), False

    def write(self, text: str) -> int:
        self.note()
        return self._stream.write(text)

    def note(self) -> None:
        """Something was said."""
        if self._shown:
            self._shown = False
            print(CLEAR, end="", file=self._terminal, flush=True)
        self._last = time.monotonic()

    def look(self) -> None:
        """Say what is waited for, when it was quiet for too long."""
        quiet = time.monotonic() - self._last
        if quiet >= QUIET and _reasons:
            self._shown = True
            line = f"{CLEAR}... {_reasons[-1]}, {quiet:.0f} s"
            print(line, end="", file=self._terminal, flush=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _watch(heard: _Heard, over: threading.Event) -> None:
    while not over.wait(TICK):
        heard.look()
