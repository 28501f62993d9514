"""How the time of the last full run divides over its stages: `python benchmarks/stages.py`.

Reads the run records of this clone; stages that were up to date then are not in them.
"""

import json
from pathlib import Path

RUNS = Path(".pallor/runs")


def main() -> None:
    """Print a table and end with one JSON line of seconds and shares."""
    record = last_full_run()
    seconds = {s["stage"]: s["seconds"] for s in record["stages"] if s["outcome"] == "Done"}
    total = record["seconds"]
    for stage, spent in seconds.items():
        print(f"{stage:<11}{spent:8.1f} s{spent / total:8.1%}")
    rest = total - sum(seconds.values())
    print(f"{'the rest':<11}{rest:8.1f} s{rest / total:8.1%}   assets, server, DVC between stages")
    print(json.dumps({"seconds": seconds, "total": total, "overhead_share": rest / total}))


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
