"""Progress lines as live bars where a person looks on, and as they are everywhere else.

Stages print lines such as `render 40/125, ~3 min left` (flows.progress), which DVC's pipe carries
to `pallor run`. Whoever prints them hands each to `Bars.say`.
"""

import re
from types import TracebackType
from typing import TYPE_CHECKING, Self

from flows.terminal import on_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE = re.compile(
    r"(?P<stage>[\w@-]+) (?P<done>\d+)/(?P<total>\d+)(?:, (?P<left>~.* left)| items at hand)?$"
)


class Bars:
    """One bar a stage, alive while the block lasts; lines that tell no progress stand above."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def say(self, text: str) -> None:
        """Show one line."""
        found = LINE.match(text)
        if not found or (not on_terminal() and self._bars is None):
            print(text, flush=True)
            return
        bars = self._bars or self._begun()
        stage, done, total = found["stage"], int(found["done"]), int(found["total"])
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total, left="")
        left = found["left"] or ""
        bars.update(self._tasks[stage], completed=done, left=left, refresh=True)

    def _begun(self) -> "Progress":
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        told = TextColumn("{task.fields[left]}")  # our own estimate: it knows chunks and workers
        name = TextColumn("{task.description}", markup=False)
        self._bars = Progress(name, BarColumn(), MofNCompleteColumn(), Elapsed(), told)
        self._bars.start()
        return self._bars
