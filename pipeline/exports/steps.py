"""The stages behind the corpus: what each read and wrote, and who ran it when, where known.

`dvc.lock` tells the first, run records the second. A corpus that came from a cache or a clone has
no record; nothing is made up for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.lineage.corpus import LOCK
from pipeline.lineage.lock import Stage, read_lock
from pipeline.lineage.provenance import newest_runs

CODE = {"avatars", "fomm", "models", "requirements.lock"}
CODE_SUFFIXES = {".py", ".j2"}


@dataclass(frozen=True)
class Step:
    """One stage: its name, its entry in the lock, and its newest completed run record or None."""

    name: str
    stage: Stage
    record: Mapping[str, Any] | None

    @property
    def inputs(self) -> dict[str, str]:
        """MD5 by path of the data that the stage read; its code is left out."""
        return {path: md5 for path, md5 in self.stage.deps.items() if not is_code(path)}

    @property
    def started(self) -> datetime:
        """When the recorded run began; only of a step that has a record."""
        return datetime.fromisoformat(self._record["started"])

    @property
    def ended(self) -> datetime:
        """When the recorded run ended; only of a step that has a record."""
        return self.started + timedelta(seconds=self._record["seconds"])

    @property
    def _record(self) -> Mapping[str, Any]:
        assert self.record is not None, f"{self.name} has no run record"
        return self.record


def is_code(path: str) -> bool:
    """Is a stage's dependency code or a lock of libraries, not data?"""
    return path in CODE or Path(path).suffix in CODE_SUFFIXES


def read_steps(root: Path, runs: Path) -> list[Step]:
    """The stages of `root`'s dvc.lock, each after those whose outputs it reads.

    Raises StageError without a lock. `runs` is the folder of run records; it may be missing.
    """
    lock, records = read_lock(root / LOCK), newest_runs(runs)
    return [Step(name, lock[name], records.get(name)) for name in _ordered(lock)]


def _ordered(lock: Mapping[str, Stage]) -> list[str]:
    made_by = {path: name for name, stage in lock.items() for path in stage.outs}
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for path in lock[name].deps:
            if path in made_by:
                visit(made_by[path])
        order.append(name)

    for name in lock:
        visit(name)
    return order
