"""A heavy stage's items through Prefect: chunks of missing jobs, mapped over workers.

The work store says what is missing, so nothing is done twice and Prefect's own result cache stays
off (it hashes a path, not its content, and returned stale results: measured).
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.stage import OURS
from flows.workspace import home
from pipeline.errors import ClipError, ParamsError, StageError
from pipeline.params import nearest
from pipeline.store import Job, Store

Work = Callable[[Sequence[Job], Store], None]
RUNNERS: dict[str, Callable[[int], TaskRunner[Any]]] = {
    "threads": lambda workers: ThreadPoolTaskRunner(max_workers=workers),
    "processes": lambda workers: ProcessPoolTaskRunner(max_workers=workers),
}
RETRIES = 2  # a worker killed for memory may fit when its neighbour is done
RETRY_DELAY = 2.0  # seconds


def make_all(stage: str, jobs: Sequence[Job], work: Work, size: int) -> Store:
    """Make what is missing of `jobs`, at most `size` of them a task, and return their store.

    Called inside a flow. Raises the first task's error when one fails for good, and StageError
    when `work` returns without having made its items.
    """
    store = Store(home(), stage)
    store.sweep()
    missing = [job for job in jobs if not store.has(job.key)]
    print(f"{stage} {len(jobs) - len(missing)}/{len(jobs)} items at hand", flush=True)
    progress = Progress(stage, done=len(jobs) - len(missing), total=len(jobs))
    share = -(-len(missing) // workers())  # so that a few items still keep every worker busy
    _map(stage, list(_chunks(missing, max(1, min(size, share)))), store, work, progress)
    create_table_artifact(key=stage, table=progress.table(), description=f"What {stage} made")
    return store


class Progress:
    """Lines such as `render 40/125, ~3 min left`, and the table of what took how long."""

    def __init__(self, stage: str, done: int, total: int) -> None:
        self.stage, self.done, self.total = stage, done, total
        self._first, self._start = done, time.monotonic()
        self._rows: list[dict[str, Any]] = []

    def add(self, names: Sequence[str]) -> str:
        """Count finished items; the line that says so."""
        self.done += len(names)
        seconds = time.monotonic() - self._start
        self._rows.append({"items": ", ".join(names), "finished after s": round(seconds, 1)})
        left = seconds / (self.done - self._first) * (self.total - self.done)
        return f"{self.stage} {self.done}/{self.total}" + (f", {_about(left)} left" if left else "")

    def table(self) -> list[dict[str, Any]]:
        """One row a chunk; a single row when nothing was missing."""
        return self._rows or [{"items": "all at hand", "finished after s": 0.0}]


def task_runner() -> TaskRunner[Any]:
    """The runner PALLOR_RUNNER names, with PALLOR_WORKERS workers; threads on all cores if unset.

    Threads suffice because the work is in child processes (Blender) or in code that frees the
    interpreter (torch, OpenCV).
    """
    name = os.environ.get("PALLOR_RUNNER", "threads")
    if name not in RUNNERS:
        raise ParamsError(f"PALLOR_RUNNER is '{name}'; {nearest(name, list(RUNNERS))}")
    return RUNNERS[name](workers())


def workers() -> int:
    """How many chunks are worked on at once: PALLOR_WORKERS, else the cores we may use."""
    given = os.environ.get("PALLOR_WORKERS")
    if given is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not given.isdecimal() or int(given) < 1:
        raise ParamsError(f"PALLOR_WORKERS is '{given}'; it must be a whole number of at least 1")
    return int(given)


def _map(stage: str, chunks: list[list[Job]], store: Store, work: Work, progress: Progress) -> None:
    futures: dict[PrefectFuture[None], list[Job]] = {
        _make.with_options(name=stage, task_run_name=_label(chunk)).submit(
            chunk, store, work
        ): chunk
        for chunk in chunks
    }
    for future in as_completed(list(futures)):
        future.result()
        print(progress.add([job.name for job in futures[future]]), flush=True)


def _by_chance(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """May a second try end otherwise? Not when one of our own sentences says what is wrong.

    A ClipError is the exception: it is also how a worker process that died is told.
    """
    error = state.result(raise_on_failure=False)
    ours = type(error).__module__.split(".")[0] in OURS
    return isinstance(error, ClipError) or not ours


@task(
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY,
    retry_condition_fn=_by_chance,
)
def _make(chunk: list[Job], store: Store, work: Work) -> None:
    missing = [job for job in chunk if not store.has(job.key)]
    work(missing, store)
    lost = [job.name for job in missing if not store.has(job.key)]
    if lost:
        raise StageError(f"{store.stage} did not make {', '.join(lost)}")


def _chunks(jobs: Sequence[Job], size: int) -> Iterator[list[Job]]:
    for start in range(0, len(jobs), size):
        yield list(jobs[start : start + size])


def _label(chunk: Sequence[Job]) -> str:
    return chunk[0].name if len(chunk) == 1 else f"{chunk[0].name} .. {chunk[-1].name}"


def _about(seconds: float) -> str:
    return f"~{seconds:.0f} s" if seconds < 90 else f"~{seconds / 60:.0f} min"
