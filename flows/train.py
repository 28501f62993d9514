"""Stage train: one ConvLSTM a protocol, both at once."""

from prefect import flow

from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage
from flows.workspace import FACES, MODELS, OVERSAMPLED
from pipeline.files import child_seed
from pipeline.params import load_params
from pipeline.training import train


@flow(name="train")
def train_models() -> None:
    """Write data/models."""
    params = load_params()
    jobs = train.jobs(OVERSAMPLED, FACES, params.train, child_seed(params.seed, "train"))
    store = make_all("train", jobs, train.work, size=1)
    train.assemble(jobs, store, MODELS)


if __name__ == "__main__":
    run_heavy_stage("train", train_models.with_options(task_runner=task_runner()))
