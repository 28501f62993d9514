"""A heavy stage's items through Prefect: chunks of missing jobs, mapped over workers.

The work store says what is missing, so nothing is done twice and Prefect's own result cache stays
off (it hashes a path, not its content, and returned stale results: measured).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.tasks import Task

from flows.bars import Bars
from flows.progress import Progress
from flows.runners import task_runner, workers
from flows.stage import OURS
from flows.workspace import home
from pipeline.errors import ClipError, RefusedError, StageError
from pipeline.report.templates import counted
from pipeline.store.store import Job, Store

__all__ = ["TOLERATED", "make_all", "task_runner"]

Work = Callable[[Sequence[Job], Store], None]
RETRIES = 2  # a worker killed for memory may fit when its neighbour is done
RETRY_DELAY = 2.0  # seconds
KILLED = {"BrokenProcessPool", "KilledWorker", "WorkerCrashedError", "OutOfMemoryError"}
# Of a stage's items may be given up, and one always: more is a fault of the machine, or of a whole
# folder of photographs.
TOLERATED = 0.1
NAMED = 5  # items that a sentence names; the log has all


def make_all(
    stage: str,
    jobs: Sequence[Job],
    work: Work,
    size: int,
    tolerated: float = 0.0,
    effort: Callable[[Job], float] | None = None,
) -> Store:
    """Make what is missing of `jobs`, at most `size` of them a task, and return their store.

    Called inside a flow. An item that fails for good, alone, is given up (`Store.given_up`) while
    those are one, or at most `tolerated` of all; else ClipError names them. Where nothing may be
    given up, the first error is raised. Raises StageError when `work` returns without having made
    its items, or a process of the runner was killed. `effort` weighs items for the time left.
    """
    store = Store(home(), stage)
    store.sweep()
    missing = [job for job in jobs if not store.has(job.key)]
    share = -(-len(missing) // workers())  # so that a few items still keep every worker busy
    size = max(1, min(size, share))
    weights = {job.name: effort(job) for job in missing} if effort else None
    progress = Progress(stage, len(jobs) - len(missing), len(jobs), workers(), size, weights)
    with Bars() as bars:
        bars.say(f"{stage} {len(jobs) - len(missing)}/{len(jobs)} items at hand")
        failed = _map(list(_chunks(missing, size)), store, work, progress, bars)
        if failed and not tolerated:
            raise failed[0][1]
        # Once more, each alone: a chunk's other items must not suffer from one of them.
        left = [[job] for chunk, _ in failed for job in chunk if not store.has(job.key)]
        lost = _map(left, store, work, progress, bars)
    _give_up(lost, store, max(1.0, tolerated * len(jobs)))
    create_table_artifact(key=stage, table=progress.table(), description=f"What {stage} made")
    store.log("stage", seconds=progress.seconds(), told=progress.told())
    return store


def _map(
    chunks: list[list[Job]], store: Store, work: Work, progress: Progress, bars: Bars
) -> list[tuple[list[Job], ClipError]]:
    """Run the chunks; those that failed for good with a ClipError. Other errors are raised."""
    futures: dict[PrefectFuture[None], list[Job]] = {
        _make.with_options(name=store.stage, task_run_name=_label(chunk)).submit(
            chunk, store, work
        ): chunk
        for chunk in chunks
    }
    failed = []
    for future in as_completed(list(futures)):
        chunk = futures[future]
        try:
            future.result()
        except ClipError as error:
            failed.append((chunk, error))
            if made := [job.name for job in chunk if store.has(job.key)]:
                bars.say(progress.add(made))
        except Exception as error:
            raise _told(store.stage, error) from error
        else:
            bars.say(progress.add([job.name for job in chunk]))
    return failed


def _give_up(failed: list[tuple[list[Job], ClipError]], store: Store, most: float) -> None:
    for chunk, error in failed:
        store.given_up[chunk[0].key] = str(error)
        store.log("given up", name=chunk[0].name, key=chunk[0].key, reason=str(error))
        print(f"{store.stage}: {chunk[0].name} is given up: {error}", flush=True)
    if len(failed) > most:
        named = sorted((chunk[0].name, str(error)) for chunk, error in failed)
        said = "; ".join(f"{name}: {error}" for name, error in named[:NAMED])
        more = f"; and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        raise ClipError(
            f"{store.stage} cannot make {counted(len(failed), 'item')}, and may give up {most:.0f} "
            f"of all: {said}{more}"
        ) from failed[0][1]


def _told(stage: str, error: Exception) -> Exception:
    """A killed process of the runner (its pool, Dask, Ray) as one sentence; others as they are."""
    if type(error).__name__ not in KILLED:
        return error
    return StageError(
        f"{stage}: a worker process was killed, most likely because memory ran out; finished work "
        "is kept, run again with fewer PALLOR_WORKERS"
    )


def _by_chance(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """May a second try end otherwise? Not when one of our own sentences says what is wrong.

    A ClipError is the exception: it is also how a worker process that died is told. A RefusedError
    is about the item itself.
    """
    error = state.result(raise_on_failure=False)
    ours = type(error).__module__.split(".")[0] in OURS
    if isinstance(error, ClipError):
        return not isinstance(error, RefusedError)
    return not ours


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
        raise StageError(f"{store.stage} did not make {', '.join(lost)}; run again")


def _chunks(jobs: Sequence[Job], size: int) -> Iterator[list[Job]]:
    for start in range(0, len(jobs), size):
        yield list(jobs[start : start + size])


def _label(chunk: Sequence[Job]) -> str:
    return chunk[0].name if len(chunk) == 1 else f"{chunk[0].name} .. {chunk[-1].name}"
