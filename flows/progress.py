"""How far a stage is: lines such as `render 40/125, ~3 min left`, and a table of it all."""

import heapq
import time
from collections.abc import Sequence
from typing import Any


class Progress:
    """Counts the items of one stage; `size` of them are a chunk, `workers` chunks run at once."""

    def __init__(self, stage: str, done: int, total: int, workers: int = 1, size: int = 1) -> None:
        self.stage, self.done, self.total = stage, done, total
        self._size = size
        self._begun = [0.0] * workers  # seconds at which a chunk began: the first, then one an end
        self._worked = 0.0  # seconds that workers spent on finished chunks
        self._first, self._start = done, time.monotonic()
        self._rows: list[dict[str, Any]] = []

    def add(self, names: Sequence[str]) -> str:
        """Count finished items; the line that says so."""
        self.done += len(names)
        seconds = time.monotonic() - self._start
        left = self._left(seconds)
        row = {"items": ", ".join(names), "finished after s": round(seconds, 1)}
        self._rows.append({**row, "left s": round(left, 1)})
        return f"{self.stage} {self.done}/{self.total}" + (f", {_about(left)} left" if left else "")

    def table(self) -> list[dict[str, Any]]:
        """One row a chunk with the time left as it was told; one row when nothing was missing."""
        return self._rows or [{"items": "all at hand", "finished after s": 0.0, "left s": 0.0}]

    def told(self) -> list[list[float]]:
        """Seconds gone and seconds left at each line, as they were told; nobody's name."""
        return [[row["finished after s"], row["left s"]] for row in self._rows]

    def seconds(self) -> float:
        """Since the first item was asked for."""
        return round(time.monotonic() - self._start, 1)

    def _left(self, seconds: float) -> float:
        """Until the last worker is through, when every item takes what the finished ones took.

        Chunks run first come, first served, so the end of the last chunks is not that of a crowd:
        one of two workers that are left without work does not shorten what the other has.
        """
        self._worked += seconds - heapq.heapreplace(self._begun, seconds)
        pace = self._worked / (self.done - self._first)
        ends, waiting = list(self._begun), self.total - self.done
        while waiting > 0:
            chunk = min(self._size, waiting)
            heapq.heapreplace(ends, max(seconds, ends[0] + chunk * pace))
            waiting -= chunk
        return max(ends) - seconds


def _about(seconds: float) -> str:
    return f"~{seconds:.0f} s" if seconds < 90 else f"~{seconds / 60:.0f} min"
