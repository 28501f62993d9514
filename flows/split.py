"""Stage split: windows of the kept clips on two sides, as published and clean."""

from flows.stage import run_stage
from flows.workspace import FACES, METRICS, SPLIT
from pipeline.files import child_seed
from pipeline.params import load_params
from pipeline.splits.split import split_faces


def split() -> None:
    """Write data/split and metrics/split_proof.json."""
    params = load_params()
    seed = child_seed(params.seed, "split")
    split_faces(FACES, SPLIT, METRICS / "split_proof.json", params.split, seed)


if __name__ == "__main__":
    run_stage("split", split)
