"""How the time of the last full run divides over its stages, beside what `pallor plan` foretold.

`python benchmarks/stages.py` reads the run records of this clone; stages that were up to date then
are not in them.
"""

import json
from pathlib import Path

from pipeline.corpus.cost import estimate
from pipeline.corpus.plan import make_plan
from pipeline.params import load_params
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace

RUNS = Path(".pallor/runs")


def main() -> None:
    """Print a table and end with one JSON line of seconds and shares."""
    record = last_full_run()
    seconds = {s["stage"]: s["seconds"] for s in record["stages"] if s["outcome"] == "Done"}
    total = record["seconds"]
    told = foretold(record["cores"])
    print(f"{'stage':<11}{'spent':>10}{'share':>8}{'foretold':>11}")
    for stage, spent in seconds.items():
        guess = f"{told[stage]:9.1f} s" if stage in told else ""
        print(f"{stage:<11}{spent:8.1f} s{spent / total:8.1%}{guess}")
    rest = total - sum(seconds.values())
    print(f"{'the rest':<11}{rest:8.1f} s{rest / total:8.1%}   assets, server, DVC between stages")
    ratio = sum(told.values()) / total
    print(f"foretold {sum(told.values()):.0f} s in all, {ratio:.2f} of the truth")
    result = {"seconds": seconds, "total": total, "overhead_share": rest / total}
    print(json.dumps({**result, "foretold_share": ratio}))


def foretold(cores: int) -> dict[str, float]:
    """Seconds a stage as `pallor plan` estimates them for the main study as it is."""
    params, study = load_params(), open_study(Workspace())
    register = Path(params.portraits.source) / "register.csv"
    return estimate(make_plan(study, params, register), study, params).wall(cores)


def last_full_run() -> dict:
    """The newest record of a run that rendered; SystemExit when there is none."""
    for path in sorted(RUNS.glob("*-corpus-*.json"), reverse=True):
        record = json.loads(path.read_text())
        stages = {s["stage"]: s["outcome"] for s in record.get("stages", [])}
        if stages.get("render") == "Done":
            return record
    raise SystemExit(f"no full run is recorded in {RUNS}; run `make corpus` first")


if __name__ == "__main__":
    main()
