"""How a program of ours begins, whatever locale and encoding it was started with."""

import locale
import os
import sys


def begin() -> None:
    """Go on in UTF-8: files, names and texts mean the same on every machine.

    Python reads and writes files in the locale's encoding unless its UTF-8 mode is on, and that can
    only be asked for at its start; so where the locale is another, this process starts anew. What
    it starts (git, lscpu) must speak UTF-8 as well, for its words are read so.
    """
    _open_what_is_closed()
    if locale.getencoding().lower() in ("utf-8", "utf8"):
        return
    os.environ["LC_ALL"] = "C.UTF-8"
    if not sys.flags.utf8_mode:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _open_what_is_closed() -> None:
    """A stream that was closed before the start (`>&-`) swallows what is written to it.

    Python has None in its place, and the next file opened would get its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def escape_what_cannot_be_printed() -> None:
    """A terminal that knows no umlaut (PYTHONIOENCODING=ascii) gets `\\xfc`, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test's or a notebook's own stream need not have it
            stream.reconfigure(errors="backslashreplace")
