"""`pallor run --preset NAME`: how much works at once and where; the bytes stay the same.

A preset sets the environment variables that flows.runners reads, nothing of params.yaml. What a
person has set stays set.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import ParamsError

BASE, WORKER = 1.5e9, 0.5e9  # bytes: Prefect, DVC and torch; a Blender worker at 128 px had 450 MB


@dataclass(frozen=True)
class Preset:
    """`settings` gives the variables, or raises ParamsError; `why` is the reason in one line."""

    why: str
    settings: Callable[[], dict[str, str]]
    nice: int = 0  # of the run, for the people who use the machine meanwhile


def take(name: str) -> str:
    """Set what a preset sets, for this process and those it starts; the sentence that says so."""
    preset = PRESETS[name]
    wanted = preset.settings()
    kept = sorted(wanted.keys() & os.environ.keys())
    os.environ.update({key: value for key, value in wanted.items() if key not in kept})
    if preset.nice and hasattr(os, "nice"):
        os.nice(preset.nice)
    said = ", ".join(f"{key}={os.environ[key]}" for key in wanted)
    own = f"; {', '.join(kept)} as you set it" if kept else ""
    return f"preset {name}: {said} ({preset.why}){own}"


def fitting(share: float = 1.0) -> int:
    """How many workers a share of the cores makes, no more than have room in memory; at least 1."""
    import psutil

    room = int((psutil.virtual_memory().total - BASE) / WORKER)
    return max(1, min(int(_cores() * share), room))


def _cores() -> int:
    # those we may use, which in a container are fewer than there are
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _laptop() -> dict[str, str]:
    return {"PALLOR_RUNNER": "threads", "PALLOR_WORKERS": str(fitting(0.5))}


def _workstation() -> dict[str, str]:
    return {"PALLOR_RUNNER": "threads", "PALLOR_WORKERS": str(fitting())}


def _cluster() -> dict[str, str]:
    if address := os.environ.get("PALLOR_DASK_ADDRESS"):
        return {"PALLOR_RUNNER": "dask", "PALLOR_WORKERS": str(_dask_workers(address))}
    if os.environ.get("PALLOR_RAY_ADDRESS"):
        if "PALLOR_WORKERS" not in os.environ:
            raise ParamsError(
                "--preset cluster on Ray: set PALLOR_WORKERS to the cluster's workers"
            )
        return {"PALLOR_RUNNER": "ray"}
    raise ParamsError(
        "--preset cluster needs a cluster: set PALLOR_DASK_ADDRESS or PALLOR_RAY_ADDRESS to its "
        "address (docs/scale.md)"
    )


def _dask_workers(address: str) -> int:
    try:
        from distributed import Client
    except ImportError as error:
        raise ParamsError(
            "--preset cluster: Dask is not installed; "
            "`pip install --no-deps -r requirements-scale.lock`"
        ) from error
    try:
        with Client(address, timeout="10s", set_as_default=False) as client:
            return max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    except (OSError, ValueError) as error:
        raise ParamsError(
            f"--preset cluster: nobody answers at PALLOR_DASK_ADDRESS {address}; "
            "start the scheduler, or mend the address"
        ) from error


def _gpu() -> dict[str, str]:
    from pipeline.store.hardware import hardware

    cards = hardware()["gpus"]
    if not cards:
        raise ParamsError(
            "--preset gpu: this machine shows no NVIDIA card; take laptop or workstation"
        )
    return {"PALLOR_RUNNER": "threads", "PALLOR_WORKERS": str(2 * len(cards))}


PRESETS = {
    "laptop": Preset("half of the cores at a low priority: you work on it meanwhile", _laptop, 10),
    "workstation": Preset("all cores, no more workers than memory has room for", _workstation),
    "cluster": Preset("as many chunks at once as the cluster has workers", _cluster),
    "gpu": Preset("two workers a card: one builds its person while the other renders", _gpu),
}
