"""Stage plan: every choice of the corpus in one table, before one pixel."""

from pathlib import Path

from flows.stage import run_stage
from flows.workspace import PLAN
from pipeline.corpus.plan import make_plan
from pipeline.files import write_jsonl
from pipeline.params import load_params


def plan() -> None:
    """Write data/plan.jsonl."""
    params = load_params()
    register = Path(params.portraits.source) / "register.csv"
    write_jsonl(PLAN, [record.row() for record in make_plan(params, register)])


if __name__ == "__main__":
    run_stage("plan", plan)
