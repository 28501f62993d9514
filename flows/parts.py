"""A part of the rendering on a machine of its own: made, packed, and taken in where the line runs.

Rendering is nearly all of a corpus' time, and its items depend on the plan alone. So every machine
of n makes its n-th of the plan, knowing of no other; the last one merges and runs the line.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from prefect import flow

from avatars.assets import fetch
from flows.chunks import TOLERATED, make_all, task_runner
from flows.server import prefect_server
from flows.studies import opened
from flows.workspace import home, only_run, require_workspace
from pipeline.corpus import plan
from pipeline.errors import StageError
from pipeline.params import Params
from pipeline.stage import STAGES
from pipeline.store.runs import RUNS, recording
from pipeline.store.shards import merge, pack, part_of
from pipeline.store.store import Job, Store

SUFFIX = ".tar"
APART = [stage.name for stage in STAGES.values() if stage.apart]


def make_part(study: str, number: int, of: int, out: Path) -> list[Path]:
    """Make part `number` of `of` of a study, plan included, and pack its items into `out`.

    Returns the shards of it, old and new.
    """
    require_workspace()
    workspace, asked, params = opened(study)
    with only_run("pallor shard"), recording(RUNS, "part"), prefect_server(home()):
        fetch(home())
        plan.make(workspace, asked, params)
        whole = {name: _module(name).jobs(workspace, asked, params) for name in APART}
        mine = {name: part_of(jobs, number, of) for name, jobs in whole.items()}
        part.with_options(task_runner=task_runner())(mine, params)
    shards = []
    for stage, jobs in mine.items():
        shards += pack(Store(home(), stage), jobs, out, total=len(whole[stage]))
    return shards


def take_in(folder: Path) -> dict[str, int]:
    """Merge every shard of a folder into the work store; new items a stage.

    Raises StageError when there is none, or one is altered or disagrees.
    """
    shards = sorted(folder.glob(f"*{SUFFIX}"))
    if not shards:
        raise StageError(f"{folder} holds no shard; `pallor shard -o {folder}` packs some")
    new = dict.fromkeys(APART, 0)
    for shard in shards:
        stage = shard.name.partition("-")[0]
        if stage not in new:
            raise StageError(f"{shard} is of no stage that is packed ({', '.join(APART)})")
        new[stage] += merge(Store(home(), stage), shard)
    return new


@flow(name="part", validate_parameters=False)
def part(mine: dict[str, list[Job]], params: Params) -> None:
    """Make what is missing of these jobs."""
    for name, jobs in mine.items():
        size = STAGES[name].chunk_size(params)
        make_all(name, jobs, _module(name).work, size, TOLERATED)


def _module(stage: str) -> Any:
    return import_module(STAGES[stage].module)
