"""Stage render: every planned avatar clip, in Blender worker processes."""

from prefect import flow

from flows.chunks import TOLERATED, make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import CLIPS, PLAN
from pipeline.corpus import render
from pipeline.corpus.planned import read_plan
from pipeline.params import load_params


@flow(name="render")
def render_clips() -> None:
    """Write data/clips."""
    params = load_params()
    jobs = render.jobs(read_plan(PLAN).clips, params)
    store = make_all("render", jobs, render.work, params.render.chunk, TOLERATED)
    render.assemble(jobs, store, CLIPS)


if __name__ == "__main__":
    run_heavy_stage("render", render_clips.with_options(task_runner=task_runner()))
