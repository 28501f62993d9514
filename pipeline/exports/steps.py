"""The stages behind the corpus: what each read and wrote, and who ran it when, where known.

`dvc.lock` tells the first, run records the second. A corpus that came from a cache or a clone has
no record; nothing is made up for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.lineage.lock import Stage, read_lock
from pipeline.lineage.provenance import newest_runs
from pipeline.stage import STAGES
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """One stage: its name, its entry in the lock, and its newest completed run record or None."""

    name: str
    stage: Stage
    record: Mapping[str, Any] | None

    @property
    def inputs(self) -> dict[str, str]:
        """MD5 by path of the data that the stage read."""
        return self.stage.deps

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


def read_steps(workspace: Workspace, runs: Path) -> list[Step]:
    """The stages behind a study, as its dvc.lock has them, in the order of the line.

    Raises StageError without a lock. `runs` is the folder of run records; it may be missing.
    """
    lock, records = read_lock(workspace.lock), newest_runs(runs)
    keys = {stage.name: stage.key(workspace.study) for stage in STAGES.values()}
    return [Step(name, lock[key], records.get(key)) for name, key in keys.items() if key in lock]
