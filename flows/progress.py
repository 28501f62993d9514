"""How far a stage is: lines such as `render 40/125, ~3 min left`, and a table of it all."""

import heapq
import time
from collections.abc import Mapping, Sequence
from typing import Any


class Progress:
    """Counts the items of one stage; `size` of them are a chunk, `workers` chunks run at once.

    `weights` is how much work each missing item is, by name and in the order in which they begin;
    without it all are alike. No time is told before as many chunks have ended as run at once.
    """

    def __init__(
        self, stage: str, done: int, total: int, workers: int = 1, size: int = 1,
        weights: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        self.stage, self.done, self.total = stage, done, total
        self._size = size
        self._weights = None if weights is None else dict(weights)  # of what is not made yet
        self._made, self._ended = 0.0, 0  # weight of what is made, and how many chunks have ended
        self._begun = [0.0] * workers  # seconds at which a chunk began: the first, then one an end
        self._worked = 0.0  # seconds that workers spent on finished chunks
        self._first, self._start = done, time.monotonic()
        self._rows: list[dict[str, Any]] = []

    def add(self, names: Sequence[str]) -> str:
        """Count finished items; the line that says so."""
        self.done += len(names)
        self._ended += 1
        if self._weights is not None:
            self._made += sum(self._weights.pop(name, 0.0) for name in names)
        seconds = time.monotonic() - self._start
        left = self._left(seconds)
        grounded = self._ended >= len(self._begun) or self.done == self.total
        row = {"items": ", ".join(names), "finished after s": round(seconds, 1)}
        self._rows.append({**row, "left s": round(left, 1) if grounded else None})
        said = f", {_about(left)} left" if left and grounded else ""
        return f"{self.stage} {self.done}/{self.total}{said}"

    def table(self) -> list[dict[str, Any]]:
        """One row a chunk with the time left as it was told; one row when nothing was missing."""
        return self._rows or [{"items": "all at hand", "finished after s": 0.0, "left s": 0.0}]

    def told(self) -> list[list[float]]:
        """Seconds gone and seconds left at each line, as they were told; nobody's name."""
        rows = [row for row in self._rows if row["left s"] is not None]
        return [[row["finished after s"], row["left s"]] for row in rows]

    def seconds(self) -> float:
        """Since the first item was asked for."""
        return round(time.monotonic() - self._start, 1)

    def _left(self, seconds: float) -> float:
        """Until the last worker is through, when all work goes at the pace of what is finished.

        Chunks run first come, first served, so the end of the last chunks is not that of a crowd:
        one of two workers that are left without work does not shorten what the other has.
        """
        self._worked += seconds - heapq.heapreplace(self._begun, seconds)
        finished, chunks = self._work()
        pace = self._worked / finished if finished else 0.0
        ends = list(self._begun)
        for chunk in chunks:
            heapq.heapreplace(ends, max(seconds, ends[0] + chunk * pace))
        return max(ends) - seconds

    def _work(self) -> tuple[float, list[float]]:
        """What is finished, and each chunk that is not, in the order in which they begin."""
        if self._weights is None:
            made, left = float(self.done - self._first), [1.0] * (self.total - self.done)
        else:
            made, left = self._made, list(self._weights.values())
        return made, [sum(left[at : at + self._size]) for at in range(0, len(left), self._size)]


def _about(seconds: float) -> str:
    return f"~{seconds:.0f} s" if seconds < 90 else f"~{seconds / 60:.0f} min"
