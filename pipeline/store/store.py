"""The work store: finished items kept by the digest of everything that decides their bytes.

DVC wipes a stage's outputs before it runs. What was finished lives here, below the git-ignored
home folder, so a killed run goes on where it stopped and one changed item is made alone.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.errors import RefusedError
from pipeline.files import canonical


@dataclass(frozen=True)
class Job:
    """One item a stage can make alone.

    `key` is the digest (hex) of all that decides the item's bytes, `name` is for people and logs,
    `item` is plain data, picklable, that the stage's `work` understands.
    """

    key: str
    name: str
    item: Any


class Store:
    """Finished items of one stage below `root`/work/`stage`/, each in a folder of its own.

    A folder stands only when its item is whole, so `has` is proof of a finished item. Several
    processes may share a store: two that make the same item write the same bytes, the first stays.
    """

    def __init__(self, root: Path, stage: str) -> None:
        self.root = root
        self.stage = stage
        self.folder = root / "work" / stage
        self.given_up: dict[str, str] = {}  # key > the sentence why the run goes on without it
        self._log = root / "work" / f"{stage}.log.jsonl"

    def path(self, key: str) -> Path:
        """The folder of an item, finished or not."""
        return self.folder / key[:2] / key

    def unfinished(self, key: str) -> Path:
        """The folder in which a long item keeps what it goes on from after a kill.

        Not made here; it goes when the item is finished.
        """
        return self.path(key).with_name(f"{key}.unfinished")

    def has(self, key: str) -> bool:
        """Is the item finished?"""
        return self.path(key).is_dir()

    @contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """An empty folder that becomes the item when the block ends well, else leaves nothing."""
        home = self.path(key)
        with self._part(home.parent, key[:8]) as part:
            yield part
            try:
                os.rename(part, home)
            except OSError:
                if not home.is_dir():  # else another worker was first: same key, same bytes
                    raise
        shutil.rmtree(self.unfinished(key), ignore_errors=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for the block alone; `sweep` removes it when a kill left it behind."""
        with self._part(self.folder / "scratch", "s") as part:
            yield part

    def sweep(self) -> None:
        """Remove what killed workers left half made; what a living one holds stays."""
        left = {path.with_suffix(".lock") for end in ("lock", "part") for path in self._marked(end)}
        for lock in left:
            with suppress(FileNotFoundError), _held(lock) as ours:
                if ours:
                    shutil.rmtree(lock.with_suffix(".part"), ignore_errors=True)

    def sorted_out(self, jobs: Sequence[Job]) -> tuple[list[Job], list[tuple[Job, str]]]:
        """The jobs in order: those made, and those given up with the sentence why."""
        made = [job for job in jobs if job.key not in self.given_up]
        return made, [(job, self.given_up[job.key]) for job in jobs if job.key in self.given_up]

    @contextmanager
    def _part(self, parent: Path, name: str) -> Iterator[Path]:
        parent.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix=f".{name}-", suffix=".lock", dir=parent)
        os.close(descriptor)
        lock = Path(path)  # held before there is a folder that a sweep could find
        part = lock.with_suffix(".part")
        with FileLock(lock):
            try:
                part.mkdir(mode=0o700)
                yield part
            finally:
                shutil.rmtree(part, ignore_errors=True)
                lock.unlink(missing_ok=True)

    def _marked(self, end: str) -> Iterator[Path]:
        """Folders and locks of what is being made, or was when its maker was killed."""
        return self.folder.glob(f"*/.*.{end}")

    def log(self, event: str, **fields: Any) -> None:
        """Append one JSON line to the stage's log; whole even when several workers write."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        line = canonical({"event": event, **fields}) + "\n"
        # One write call on an append-only descriptor: lines of two workers never mix.
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read_log(self) -> list[dict[str, Any]]:
        """The log's rows, oldest first; a line cut short by a crash is left out."""
        if not self._log.is_file():
            return []
        rows = []
        for line in self._log.read_text().splitlines():
            with suppress(json.JSONDecodeError):
                rows.append(json.loads(line))
        return rows


def make_each(jobs: Sequence[Job], make: Callable[[Job], None]) -> None:
    """`make` each job; one that is refused keeps none of its neighbours from being made.

    Raises the first RefusedError when all were tried.
    """
    refused = []
    for job in jobs:
        try:
            make(job)
        except RefusedError as error:
            refused.append(error)
    if refused:
        raise refused[0]


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Is the lock file ours for the block? It is free when its holder's process has ended."""
    mine = FileLock(lock, blocking=False)
    try:
        mine.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)  # while it is ours, so that nobody waits for a lost name
        mine.release()
