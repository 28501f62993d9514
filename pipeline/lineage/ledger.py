"""The history of releases: one row a release with its figures, its speeds and its machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.evaluation.results import Results
from pipeline.files import read_json, read_jsonl, write_jsonl
from pipeline.lineage import history
from pipeline.lineage.release import VERSION
from pipeline.report.record import read_record
from pipeline.report.templates import interval, percent
from pipeline.store.runs import RUNS
from pipeline.study import Study
from pipeline.workspace import Workspace

LEDGER = Path("metrics/history.jsonl")
Row = dict[str, Any]
NO_RUNS = "no run record was kept"


def read_ledger(root: Path) -> list[Row]:
    """The rows so far, oldest first; none where there is no file yet."""
    return read_jsonl(root / LEDGER) if (root / LEDGER).is_file() else []


def add_row(root: Path, version: str, studies: Mapping[str, tuple[Workspace, Study]]) -> Row:
    """Append the row of a version (docs/formats/history.md) and give it back.

    Raises StageError for a name that is no version or has a row already, or without any figures.
    """
    rows = read_ledger(root)
    if not VERSION.fullmatch(version):
        raise StageError(f"'{version}' is no version; it looks like 1.0.0 or 1.0.0-rc.1")
    if any(row["version"] == version for row in rows):
        raise StageError(f"{LEDGER} has a row of {version}; a release is never changed")
    if not studies:
        raise StageError("no study has figures here; `pallor run` makes them")
    commit, date = history.git(root, "log", "-1", "--format=%H %cs").split()
    row = {
        "version": version, "commit": commit, "date": date,
        "figures": {name: _figures(*of) for name, of in studies.items()},
        **_runs(root),
    }  # fmt: skip
    write_jsonl(root / LEDGER, [*rows, row])
    return row


def ledger_lines(rows: list[Row]) -> list[str]:
    """The rows as a table for people; shares are per cent."""
    if not rows:
        return [f"{LEDGER} has no row yet; `pallor history --add VERSION` writes one"]
    lines = []
    for row in rows:
        minutes = sum(row["seconds"].values()) / 60
        how = f"{minutes:.0f} min on {row['machine']['cpu']}" if row["machine"] else NO_RUNS
        lines.append(f"{row['version']} ({row['date']}, {row['commit'][:9]}): {how}")
        for study, figures in row["figures"].items():
            told = [
                f"{name} {percent(one['accuracy'])} of {one['n_test']}"
                f" ({interval(one['accuracy_ci95'])})"
                for name, one in figures.items()
            ]
            lines.append(f"  {study}: {', '.join(told)}")
    return lines


def _figures(workspace: Workspace, study: Study) -> Row:
    """Of the first task's first model under each protocol, and the figure of record."""
    results, names = Results.read(workspace.evaluation), ("accuracy", "accuracy_ci95", "n_test")
    task, model, _ = study.trials()[0]
    found = {
        protocol: {n: results.headline(results.row(task, model, protocol))[n] for n in names}
        for protocol in study.protocols
    }
    if record := read_record(workspace):
        found["record"] = {n: record["models"][record["first"]][n] for n in (*names, "seeds_sd")}
    return found


def _runs(root: Path) -> Row:
    """`seconds` by stage, of the longest run each (shorter ones found work done), and `machine`."""
    records = [read_json(path) for path in sorted((root / RUNS).glob("*.json"))]
    done = [row for row in records if row.get("outcome") == "completed" and "@" in row["name"]]
    seconds: dict[str, float] = {}
    for row in done:
        seconds[row["name"]] = max(seconds.get(row["name"], 0.0), row["seconds"])
    longest: Row = max(done, key=lambda row: row["seconds"], default={})
    return {"seconds": dict(sorted(seconds.items())), "machine": longest.get("hardware")}
