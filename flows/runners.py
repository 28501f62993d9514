"""Where chunks run: threads, processes, Dask or Ray, chosen by the environment, never by code.

PALLOR_RUNNER names the runner, PALLOR_WORKERS how many chunks run at once, PALLOR_DASK_ADDRESS and
PALLOR_RAY_ADDRESS a cluster that stands already; its workers need this clone and PALLOR_HOME on a
shared file system (docs/scale.md).
"""

import os
from collections.abc import Callable
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from pipeline.errors import ParamsError
from pipeline.naming import nearest

DEFAULT = "threads"  # enough: the work is in child processes or in code that frees the interpreter


def task_runner() -> TaskRunner[Any]:
    """The runner that PALLOR_RUNNER names; ParamsError when it is unknown or not installed."""
    name = os.environ.get("PALLOR_RUNNER", DEFAULT)
    if name not in RUNNERS:
        raise ParamsError(f"PALLOR_RUNNER is '{name}'; {nearest(name, list(RUNNERS))}")
    try:
        return RUNNERS[name](workers())
    except ImportError as error:
        raise ParamsError(
            f"PALLOR_RUNNER is '{name}' but {error.name} is not installed; "
            "`pip install --no-deps -r requirements-scale.lock`"
        ) from error


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


# By default Dask's processes wake up to 100 times a second to watch themselves: with two workers
# 17 % of a core that Blender wants, 4 % like this.
_DASK_CALM = {
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "5s",
    "distributed.worker.profile.enabled": False,
}


def _dask(count: int) -> TaskRunner[Any]:
    import dask
    from prefect_dask import DaskTaskRunner

    if address := os.environ.get("PALLOR_DASK_ADDRESS"):
        return DaskTaskRunner(address=address)
    dask.config.set(_DASK_CALM)  # of this process, which hands it to the workers it starts
    # Loopback alone, and no dashboard: nobody outside may send this machine work.
    local = {"n_workers": count, "threads_per_worker": 1, "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs={**local, "dashboard_address": None})


def _ray(count: int) -> TaskRunner[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from prefect_ray import RayTaskRunner

    if address := os.environ.get("PALLOR_RAY_ADDRESS"):
        return RayTaskRunner(address=address)
    return RayTaskRunner(init_kwargs={"num_cpus": count, "include_dashboard": False})


RUNNERS: dict[str, Callable[[int], TaskRunner[Any]]] = {
    "threads": lambda count: ThreadPoolTaskRunner(max_workers=count),
    "processes": lambda count: ProcessPoolTaskRunner(max_workers=count),
    "dask": _dask,
    "ray": _ray,
}
