"""How every stage process begins and ends: `python -m flows.<stage>`, from DVC or by hand."""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from flows.guard import die_with, starters
from flows.workspace import home, only_stage, require_workspace
from pipeline.errors import IncompleteError
from pipeline.store.runs import RUNS, recording

MACHINE = {  # what a person can put right, where Python names a number
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the quota is used up; free some space",
    errno.EFBIG: "a file may not grow as large as it must; raise the limit (ulimit -f)",
    errno.EROFS: "the file system is read-only; make it writable",
    errno.EACCES: "a file may not be read or written; change its owner or mode",
}
OURS = {"avatars", "fomm", "models", "pipeline", "flows"}


def run_stage(name: str, body: Callable[[], object]) -> NoReturn:
    """Run `body` alone in the workspace, keep its run record, exit 0, 1 (a bug) or 2 (a sentence).

    Under DVC the process ends when DVC does.
    """
    if "DVC_STAGE" in os.environ:
        die_with(starters())
    sys.exit(say_errors(lambda: _recorded(name, body)))


def run_heavy_stage(name: str, flow: Callable[[], object]) -> NoReturn:
    """`run_stage` for a Prefect flow: on the run's server, or on one of its own."""
    from prefect import tags  # a second to import, which light stages are spared

    from flows.server import prefect_server
    from flows.stale import workspace_tag

    def body() -> None:
        with prefect_server(home()), tags(workspace_tag()):
            flow()

    run_stage(name, body)


def _recorded(name: str, body: Callable[[], object]) -> None:
    require_workspace()
    with only_stage(name), recording(RUNS, name):
        body()


def say_errors(body: Callable[[], object]) -> int:
    """Exit code of `body`: 0, 2 (or 3, incomplete) after one sentence on stderr, 1 for a bug.

    130 when stopped by hand, 141 when nobody reads its output any more.

    Exceptions that this project defines carry a sentence for people, and a full disk or a file
    system that may not be written has one here; any other is a bug.
    """
    try:
        body()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("pallor: stopped; finished work is kept, run again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `pallor explain ID | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if not (sentence := _sentence(error)):
            traceback.print_exc()
            return 1
        print(f"pallor: {sentence}", file=sys.stderr, flush=True)
        if getattr(error, "at_once", False):
            sys.stdout.flush()
            os._exit(2)
        return 3 if isinstance(error, IncompleteError) else 2
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in MACHINE:
        where = error.filename or home()
        return f"{MACHINE[error.errno]} ({where}), then run again; finished work is kept"
    return str(error) if type(error).__module__.split(".")[0] in OURS else ""
