"""Stage transfer: every portrait performs the motion of its driving clips."""

from pathlib import Path

from prefect import flow

from flows.chunks import TOLERATED, make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import CLIPS, PLAN, PORTRAITS, TRANSFERRED
from pipeline.corpus.planned import read_plan
from pipeline.motion import transfer
from pipeline.params import load_params

CHUNK = 4  # clips a task: they share the checkpoint and, mostly, the driving clip


@flow(name="transfer")
def animate() -> None:
    """Write data/transferred."""
    params = load_params()
    checkpoint = Path(params.motion.checkpoint)
    jobs = transfer.jobs(read_plan(PLAN), CLIPS, PORTRAITS, checkpoint, params.transfer)
    store = make_all("transfer", jobs, transfer.work, CHUNK, TOLERATED)
    transfer.assemble(jobs, store, TRANSFERRED)


if __name__ == "__main__":
    run_heavy_stage("transfer", animate.with_options(task_runner=task_runner()))
