"""`dvc repro` as a guarded child process, and the questions one asks DVC before it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dvc.lock import LockError, make_lock

from flows.stores import place
from pipeline.errors import StageError

DVC = (sys.executable, "-m", "dvc")
LOCK = Path("dvc.lock")
PATH_LOCKS = Path(".dvc/tmp/rwlock")


def status(targets: Sequence[str] = ()) -> dict[str, object]:
    """What DVC says has changed for these targets (none: all), by stage; {} when nothing has.

    Half a second, so asked before a server is started. Where DVC does not answer, everything is
    said to have changed: it will say itself why it cannot run.
    """
    found = _status(*targets, *(["--with-deps"] if targets else []))
    return {"all": "unknown"} if found is None else found


def commit(targets: Sequence[str]) -> None:
    """Lock the outputs of these stages as they lie there."""
    subprocess.run([*DVC, "commit", "--quiet", "--force", *targets], check=False)


def drop_broken_lock() -> None:
    """Set a `dvc.lock` aside that a killed DVC wrote half; DVC then takes its run cache instead."""
    if LOCK.is_file() and _status() is None and "dvc.lock" in _complaint():
        LOCK.replace(LOCK.with_name("dvc.lock.broken"))
        print("dvc.lock was written half by a killed run; set aside, it is made anew", flush=True)


def drop_broken_path_locks() -> None:
    """Remove DVC's table of path locks when a killed DVC wrote it half.

    DVC writes it in place and refuses to start on half of one. It names live processes only, and
    whoever was writing is dead: while one lives, it holds the lock that is taken here.
    """
    if not PATH_LOCKS.is_file():
        return
    with _dvc_lock(PATH_LOCKS.with_suffix(".lock")):
        try:
            json.loads(PATH_LOCKS.read_text())
        except ValueError:
            PATH_LOCKS.unlink()
            print(f"{PATH_LOCKS} was written half by a killed run; removed", flush=True)


def drop_empty_run_caches() -> None:
    """Remove folders of DVC's run cache that a killed DVC made and did not fill.

    DVC looks for the newest entry of such a folder, and no stage of that key runs again. A living
    one fills its folder under the lock that is taken here.
    """
    if not _empty_run_caches():
        return
    with _dvc_lock(PATH_LOCKS.with_name("lock")):
        for folder in _empty_run_caches():
            folder.rmdir()
            print(f"{folder} was left empty by a killed run; removed", flush=True)


@contextmanager
def _dvc_lock(path: Path) -> Iterator[None]:
    try:
        lock = make_lock(str(path), tmp_dir=str(path.parent))
        lock.lock()
    except LockError as error:
        raise StageError(
            f"another DVC process holds {path}; wait for it or stop it, then run again"
        ) from error
    try:
        yield
    finally:
        lock.unlock()


def _empty_run_caches() -> list[Path]:
    here = place()
    if not here.owns(here.cache):  # a living DVC of another project may be about to fill one
        return []
    return [at for at in (here.cache / "runs").glob("*/*") if not any(at.iterdir())]


def _own_path() -> str:
    """PATH with this interpreter first: dvc.yaml's `python` is ours, activated or not."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


@contextmanager
def repro(*options: str) -> Iterator[Iterator[str]]:
    """The output lines of one outermost `dvc repro`; nothing of it is alive after the block.

    Raises StageError when DVC fails.
    """
    command = [sys.executable, "-m", "flows.guard", str(os.getpid()), *DVC, "repro", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        encoding="utf-8", errors="replace", start_new_session=True,
        env={
            **os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PATH": _own_path()
        },
    )  # fmt: skip
    assert process.stdout is not None
    try:
        with process.stdout as lines:
            yield lines
        if process.wait():
            raise StageError(f"dvc repro ended with exit code {process.returncode}; see above")
    finally:
        with suppress(ProcessLookupError):  # the whole group: DVC, the stage and its workers
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _status(*options: str) -> dict[str, object] | None:
    command = [*DVC, "status", "--json", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if run.returncode else dict(json.loads(run.stdout))


def _complaint() -> str:
    run = subprocess.run([*DVC, "status"], capture_output=True, text=True, check=False)
    return run.stdout + run.stderr
