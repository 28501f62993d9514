"""How every stage process begins and ends: `python -m flows.stage NAME --study STUDY`.

DVC starts it so, and a person may.
"""

import argparse
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from flows.curves import figures_of, followed
from flows.guard import die_with, starters
from flows.patience import watched
from flows.program import begin, escape_what_cannot_be_printed
from flows.told import told
from flows.workspace import home, only_stage, require_workspace
from pipeline.errors import IncompleteError
from pipeline.params import Params, load_params
from pipeline.stage import STAGES, Stage
from pipeline.store.runs import RUNS, recording
from pipeline.study import Study
from pipeline.study_checks import open_study
from pipeline.workspace import MAIN, Workspace

MACHINE = {  # what a person can put right, where Python names a number
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the quota is used up; free some space",
    errno.EFBIG: "a file may not grow as large as it must; raise the limit (ulimit -f)",
    errno.EROFS: "the file system is read-only; make it writable",
    errno.EACCES: "a file may not be read or written; change its owner or mode",
    errno.EPERM: "the system does not allow it; change the file's owner or mode",
    errno.ENOENT: "a file or folder is not there; make it or name another",
    errno.ENOTDIR: "a file stands where a folder must be; move it away",
    errno.EEXIST: "a file stands where a folder must be; move it away",
    errno.EISDIR: "a folder stands where a file must be; name another",
    errno.ENAMETOOLONG: "a name is too long; choose a shorter one",
    errno.ELOOP: "a link points back to itself; remove it",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine; close some programs",
    errno.EIO: "the disk could not be read or written; look after it",
    errno.ESTALE: "a network disk lost a file; mount it again",
}
EFFORTS = {"folds": "pipeline.evaluation.effort"}  # of stages whose items differ much
OURS = {"avatars", "fomm", "models", "pipeline", "flows"}


def main() -> NoReturn:
    """Run the stage that the command line names."""
    page = argparse.ArgumentParser(description=__doc__)
    page.add_argument("stage", choices=list(STAGES))
    page.add_argument("--study", default=MAIN)
    options = page.parse_args()
    stage, workspace = STAGES[options.stage], Workspace(options.study)
    if stage.heavy:
        run_heavy_stage(stage.key(options.study), partial(make_items, stage, workspace))
    run_stage(stage.key(options.study), partial(make, stage, workspace))


def read_inputs(stage: Stage, workspace: Workspace) -> tuple[Study, Params]:
    """The study and the parameters that a stage is given; those of the whole line are no study's.

    Raises StudyError, ParamsError.
    """
    study = open_study(workspace)
    return study, load_params(workspace.params, study.params if stage.scope == "study" else None)


def make(stage: Stage, workspace: Workspace) -> None:
    """Run a light stage."""
    study, params = read_inputs(stage, workspace)
    import_module(stage.module).make(workspace, study, params)
    if stage.name == "evaluate":
        figures_of(workspace, study)


def make_items(stage: Stage, workspace: Workspace) -> None:
    """Run a heavy stage as a Prefect flow: its items in chunks, then what they make together."""
    from prefect import flow

    from flows.chunks import TOLERATED, make_all, task_runner

    def body() -> None:
        study, params = read_inputs(stage, workspace)
        module: Any = import_module(stage.module)
        jobs = module.jobs(workspace, study, params)
        tolerated = TOLERATED if stage.may_give_up else 0.0
        watched = followed(workspace.study) if stage.name == "train" else nullcontext()
        weigh = import_module(EFFORTS[stage.name]).effort if stage.name in EFFORTS else None
        size = stage.chunk_size(params)
        with watched:
            store = make_all(stage.name, jobs, module.work, size, tolerated, weigh)
        module.assemble(jobs, store, workspace)

    flow(name=stage.key(workspace.study))(body).with_options(task_runner=task_runner())()


def run_stage(name: str, body: Callable[[], object]) -> NoReturn:
    """Run `body` alone in the workspace, keep its run record, exit 0, 1 (a bug) or 2 (a sentence).

    Under DVC the process ends when DVC does.
    """
    begin()
    if "DVC_STAGE" in os.environ:
        die_with(starters())
    sys.exit(say_errors(lambda: _recorded(name, body), name))


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
    with only_stage(name), recording(RUNS, name) as record, told(name, record):
        body()


def say_errors(body: Callable[[], object], command: str = "") -> int:
    """Exit code of `body`: 0, 2 (or 3, incomplete) after one sentence on stderr, 1 for a bug.

    130 when stopped by hand, 141 when nobody reads its output any more. On a terminal the name of
    the `command` stands there while it is silent (flows.patience).

    Exceptions that this project defines carry a sentence for people, and a full disk or a file
    system that may not be written has one here; any other is a bug.
    """
    escape_what_cannot_be_printed()
    try:
        with watched(command):
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


if __name__ == "__main__":
    main()
