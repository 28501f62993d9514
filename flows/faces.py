"""Stage faces: detect, track and crop the face of every clip."""

from prefect import flow

from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import CLIPS, FACES, PLAN, TRANSFERRED
from pipeline.corpus.planned import read_plan
from pipeline.faces import faces
from pipeline.params import load_params

CHUNK = 8  # clips a task: some ten seconds of work


@flow(name="faces")
def crop() -> None:
    """Write data/faces."""
    jobs = faces.jobs(read_plan(PLAN), CLIPS, TRANSFERRED, load_params().faces)
    store = make_all("faces", jobs, faces.work, CHUNK)
    faces.assemble(jobs, store, FACES)


if __name__ == "__main__":
    run_heavy_stage("faces", crop.with_options(task_runner=task_runner()))
