"""Stage motion: render the training grid and train the motion model on it."""

from pathlib import Path

from prefect import flow

from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import home
from pipeline.corpus import render
from pipeline.motion import grid as motion_data
from pipeline.motion import training as motion
from pipeline.params import load_params

CHUNK = 9  # short clips a Blender process: about as long as a chunk of the corpus
OUT = Path("motion")


@flow(name="motion")
def train_motion() -> None:
    """Write motion/blend-128.safetensors and motion/record.json."""
    params = load_params()
    jobs = render.jobs(motion_data.training_clips(params), params)
    store = make_all("motion", jobs, render.work, CHUNK)
    frames, landmarks = motion_data.load_grid(jobs, store, params)
    state = home() / "work" / "motion-training.pt"
    motion.train_motion(frames, landmarks, params.motion, params.seed, OUT, state)


if __name__ == "__main__":
    run_heavy_stage("motion", train_motion.with_options(task_runner=task_runner()))
