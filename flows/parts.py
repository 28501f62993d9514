"""A part of the rendering on a machine of its own: made, packed, and taken in where the line runs.

Rendering is nearly all of a corpus' time, and its items depend on the plan alone. So every machine
of n makes its n-th of the plan, knowing of no other; the last one merges and runs the line.
"""

from collections.abc import Iterator
from pathlib import Path

from prefect import flow

from avatars.assets import fetch
from flows import portraits as stills
from flows.chunks import TOLERATED, make_all, task_runner
from flows.server import prefect_server
from flows.workspace import home, only_run, require_workspace
from pipeline.corpus import render
from pipeline.corpus.plan import make_plan
from pipeline.errors import StageError
from pipeline.motion import portraits
from pipeline.params import Params
from pipeline.records import ClipPlan, PortraitPlan
from pipeline.store.runs import RUNS, recording
from pipeline.store.shards import merge, pack, part_of
from pipeline.store.store import Job, Store

SUFFIX = ".tar"
STAGES = {"render": render.work, "portraits": portraits.work}


def make_part(params: Params, number: int, of: int, out: Path) -> list[Path]:
    """Make part `number` of `of` and pack it into `out`; the shards of it, old and new."""
    require_workspace()
    whole = {stage: list(jobs) for stage, jobs in _jobs(params)}
    mine = {stage: part_of(jobs, number, of) for stage, jobs in whole.items()}
    with only_run("pallor shard"), recording(RUNS, "part"), prefect_server(home()):
        fetch(home())
        part.with_options(task_runner=task_runner())(mine, params.render.chunk)
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
    new = dict.fromkeys(STAGES, 0)
    for shard in shards:
        stage = shard.name.partition("-")[0]
        if stage not in new:
            raise StageError(f"{shard} is of no stage that is packed ({', '.join(STAGES)})")
        new[stage] += merge(Store(home(), stage), shard)
    return new


@flow(name="part")
def part(mine: dict[str, list[Job]], chunk: int) -> None:
    """Make what is missing of these jobs."""
    sizes = {"render": chunk, "portraits": stills.CHUNK}
    for stage, jobs in mine.items():
        make_all(stage, jobs, STAGES[stage], sizes[stage], TOLERATED)


def _jobs(params: Params) -> Iterator[tuple[str, list[Job]]]:
    rows = make_plan(params, Path(params.portraits.source) / "register.csv")
    yield "render", render.jobs([row for row in rows if isinstance(row, ClipPlan)], params)
    faces = [row for row in rows if isinstance(row, PortraitPlan)]
    yield "portraits", portraits.jobs(faces, params)
