"""Stage portraits: the static faces that transfer animates."""

from prefect import flow

from flows.chunks import TOLERATED, make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import PLAN, PORTRAITS
from pipeline.corpus.planned import read_plan
from pipeline.motion import portraits
from pipeline.params import load_params

CHUNK = 9  # stills a Blender process: as long as a few clips


@flow(name="portraits")
def make_portraits() -> None:
    """Write data/portraits."""
    params = load_params()
    jobs = portraits.jobs(read_plan(PLAN).portraits, params)
    store = make_all("portraits", jobs, portraits.work, CHUNK, TOLERATED)
    portraits.assemble(jobs, store, PORTRAITS)


if __name__ == "__main__":
    run_heavy_stage("portraits", make_portraits.with_options(task_runner=task_runner()))
