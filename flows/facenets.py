"""Stage facenets: render faces in every pose and train face-alignment's networks on them."""

import shutil
from pathlib import Path

from prefect import flow

from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import home
from pipeline.facenets import stills
from pipeline.facenets.train import train_facenets
from pipeline.params import load_params

CHUNK = 12  # people a Blender process: about as long as a chunk of the corpus
OUT = Path("facenets")


@flow(name="facenets")
def train() -> None:
    """Write facenets/blazeface.pth, anchors.npy, 2DFAN1.pth.tar and record.json."""
    params = load_params()
    jobs = stills.jobs(params)
    store = make_all("facenets", jobs, stills.work, CHUNK)
    state = home() / "work" / "facenets-training"
    train_facenets(stills.load(jobs, store), params.facenets, params.seed, OUT, state)
    shutil.rmtree(state)  # what a killed training goes on from


if __name__ == "__main__":
    run_heavy_stage("facenets", train.with_options(task_runner=task_runner()))
