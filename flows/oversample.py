"""Stage oversample: even classes on the training side, after the split."""

from flows.stage import run_stage
from flows.workspace import FACES, METRICS, OVERSAMPLED, SPLIT
from pipeline.files import child_seed
from pipeline.params import load_params
from pipeline.splits.oversample import oversample_splits


def oversample() -> None:
    """Write data/oversampled and metrics/balance.json."""
    params = load_params()
    seed = child_seed(params.seed, "oversample")
    oversample_splits(SPLIT, FACES, OVERSAMPLED, METRICS / "balance.json", params.oversample, seed)


if __name__ == "__main__":
    run_stage("oversample", oversample)
