"""How long the lineage index answers, warm: `python benchmarks/lineage.py [--most 1000000]`.

Writes synthetic manifests of 1e3, 1e4, ... clips (one transferred clip for two avatars, one
window a clip, two protocols), builds the index, and times each question: once to warm it, then
the median of five. Ends with one JSON line.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from pipeline.files import write_jsonl
from pipeline.lineage import filters, query
from pipeline.lineage.index import open_index
from pipeline.study import Study, parse_study
from pipeline.workspace import Workspace

DISPLAYS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
CLIPS_A_PERSON = 5
WINDOW = 8  # frames


def main() -> None:
    """Print a row a size; the last line is JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--most", type=int, default=1_000_000)
    most = arguments.parse_args().most
    rows = []
    size = 1000
    while size <= most:
        rows.append(measure(size))
        said = ", ".join(f"{n} {1000 * s:.1f} ms" for n, s in rows[-1]["warm_seconds"].items())
        print(f"{size:>8} clips: index in {rows[-1]['build_seconds']:.1f} s, "
              f"{rows[-1]['index_mb']:.0f} MB; {said}", flush=True)  # fmt: skip
        size *= 10
    slowest = {str(r["clips"]): round(max(r["warm_seconds"].values()), 4) for r in rows}
    print(json.dumps({"slowest_warm_seconds": slowest, "sizes": rows}))


def measure(clips: int) -> dict:
    """Build the index of a synthetic corpus and time every question."""
    with tempfile.TemporaryDirectory(prefix="pallor-lineage-") as scratch:
        root = Path(scratch)
        files, study = Workspace("synthetic", root), synthetic()
        write_manifests(files, study, clips)
        start = time.perf_counter()
        with closing(open_index(files, study, root / "index.duckdb")) as database:
            built = time.perf_counter() - start
            warm = {name: timed(ask) for name, ask in questions(database, clips).items()}
        megabytes = (root / "index.duckdb").stat().st_size / 1e6
    return {
        "clips": clips, "build_seconds": round(built, 2), "index_mb": round(megabytes, 1),
        "warm_seconds": {name: round(seconds, 5) for name, seconds in warm.items()},
    }  # fmt: skip


def questions(database, clips: int) -> dict[str, Callable[[], object]]:
    """What auditors ask, each of something in the middle of the corpus."""
    middle = clips // 3
    person = f"identity-{middle // CLIPS_A_PERSON:010x}"
    portrait = f"portrait-{middle // 2:010x}"

    def everything(kind: str, name: str) -> None:
        query.kind_of(database, name)
        query.derived_clips(database, kind, name)
        query.derived_samples(database, kind, name)

    return {
        "clip": lambda: everything("clip", f"clip-{middle:010x}"),
        "portrait": lambda: everything("portrait", portrait),
        "identity": lambda: everything("identity", person),
        "identity and display": lambda: filters.find(
            database, {"identity": person, "expression": "FD1"}
        ),
        "camera": lambda: everything("camera", first_camera(database)),
        "balance of a model": lambda: query.class_counts(database, "display", "clean"),
        "groups on both sides": lambda: query.both_sides(database, "clean"),
        "sides of a clip's people": lambda: query.family_sides(database, f"clip-{middle:010x}"),
    }


def first_camera(database) -> str:
    """The camera of the corpus' first clip."""
    return database.column("SELECT camera FROM clip WHERE kind = 'avatar' LIMIT 1")[0]


def timed(ask: Callable[[], object]) -> float:
    """Median seconds of five calls after one that warms."""
    ask()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def synthetic() -> Study:
    """A study of one task and model; only its names matter here."""
    rules = {"unit": "clip", "together": "group", "test": 0.15, "leaky": False}
    return parse_study(
        {
            "name": "synthetic", "title": "", "question": "", "cohorts": {"cast": 1},
            "arms": [{"label": "any", "cohorts": ["cast"], "expressions": list(DISPLAYS)}],
            "tasks": {"display": {}}, "models": {"convlstm": {}},
            "protocols": {"published": rules, "clean": rules},
        },
        "benchmark",
    )  # fmt: skip


def write_manifests(files: Workspace, study: Study, clips: int) -> None:
    """plan, faces, split and oversampled tables of `clips` clips, two thirds of them avatars."""
    avatars = clips - clips // 3
    write_jsonl(files.plan, plan_rows(avatars, clips - avatars))
    names = [*(f"clip-{n:010x}" for n in range(avatars)),
             *(f"transfer-{n:010x}" for n in range(clips - avatars))]  # fmt: skip
    write_jsonl(files.faces / "faces.jsonl", ({"clip_id": name} for name in names))
    write_jsonl(files.faces / "quarantine.jsonl", [])
    for _, draw in study.draws():
        rows = [sample(number, name) for number, name in enumerate(names)]
        copies = [copy(row) for row in rows[::10] if row["side"] == "train"]
        write_jsonl(files.samples(draw), rows)
        write_jsonl(files.training_samples("display", draw), rows + copies)


def plan_rows(avatars: int, transfers: int) -> Iterator[dict]:
    """Clips, then a portrait and a transfer each."""
    for number in range(avatars):
        yield {
            "kind": "clip", "clip_id": f"clip-{number:010x}", "key": f"{number}", "seed": number,
            "person": person(number // CLIPS_A_PERSON), "expression": DISPLAYS[number % 5],
            "scene": {"camera": {"azimuth": number % 997}}, **arm(number),
        }  # fmt: skip
    for number in range(transfers):
        yield {
            "kind": "portrait", "portrait_id": f"portrait-{number:010x}", "key": f"p/{number}",
            "person": person(10**9 + number), "licence": "CC0-1.0", "consent": "none",
            "origin": "synthetic", "file": None,
        }  # fmt: skip
    for number in range(transfers):
        yield {
            "kind": "transfer", "clip_id": f"transfer-{number:010x}",
            "portrait_id": f"portrait-{number:010x}", "expression": DISPLAYS[number % 5],
            "driving_clip_id": f"clip-{number % avatars:010x}", **arm(number),
        }  # fmt: skip


def arm(number: int) -> dict:
    """What a clip is in its study."""
    return {"label": DISPLAYS[number % 5], "targets": {}, "cohort": "cast", "trained": True}


def person(number: int) -> dict:
    """A person of that number."""
    return {"identity_id": f"identity-{number:010x}", "age": 20 + number % 70,
            "sex": ("female", "male")[number % 2], "ethnicity": "asian"}  # fmt: skip


def sample(number: int, clip: str) -> dict:
    """The one window of a clip; every seventh person is tested."""
    return {
        "sample_id": f"sample-{number:010x}", "clip_id": clip, "start": 0, "length": WINDOW,
        "label": DISPLAYS[number % 5], "group": f"identity-{number // CLIPS_A_PERSON:010x}",
        "side": "train" if number // CLIPS_A_PERSON % 7 else "test", "origin": None,
        "partner": None,
    }  # fmt: skip


def copy(row: dict) -> dict:
    """An oversampled copy."""
    return row | {"sample_id": f"copy-{row['sample_id']}", "origin": row["sample_id"]}


if __name__ == "__main__":
    main()
