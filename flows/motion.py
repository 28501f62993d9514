"""Stage motion: render a grid of performances and train the motion model on it.

Frozen in dvc.yaml because its checkpoint is committed; `make motion` runs it.
"""

from pathlib import Path

from prefect import flow

from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import home
from pipeline import render
from pipeline.files import child_seed, digest
from pipeline.motion import train_motion
from pipeline.motion_data import load_grid, training_clips
from pipeline.params import load_params

CHECKPOINT = "motion/compact-128.safetensors"  # what the stage makes, whatever transfer uses
CHUNK = 9  # clips a Blender process: one person's performances


@flow(name="motion")
def train() -> None:
    """Write motion/compact-128.safetensors and motion/record.json."""
    params = load_params()
    motion = params.motion.model_copy(update={"checkpoint": CHECKPOINT})
    jobs = render.jobs(training_clips(params), params)
    store = make_all("motion", jobs, render.work, CHUNK)
    frames, landmarks = load_grid(jobs, store, params)
    seed = child_seed(params.seed, "motion")
    inputs = digest([[job.key for job in jobs], motion.model_dump(), seed], 16)
    state = home() / "work" / "motion-training" / f"{inputs}.pt"
    train_motion(frames, landmarks, motion, seed, Path(CHECKPOINT).parent, state)


if __name__ == "__main__":
    run_heavy_stage("motion", train.with_options(task_runner=task_runner()))
