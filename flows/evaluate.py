"""Stage evaluate: both models on their test sides, with intervals and plots."""

from flows.stage import run_stage
from flows.workspace import FACES, METRICS, MODELS, PLOTS, PREDICTIONS, SPLIT
from pipeline.evaluation.evaluate import evaluate_models
from pipeline.files import child_seed
from pipeline.params import load_params


def evaluate() -> None:
    """Write data/predictions, metrics/evaluation.json and plots."""
    params = load_params()
    out = (PREDICTIONS, METRICS / "evaluation.json", PLOTS)
    seed = child_seed(params.seed, "evaluate")
    evaluate_models(MODELS, SPLIT, FACES, *out, params.evaluate, seed)


if __name__ == "__main__":
    run_stage("evaluate", evaluate)
