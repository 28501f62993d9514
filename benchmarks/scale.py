"""What many clips and many workers cost: `python benchmarks/scale.py`, on a quiet machine.

Renders real clips into empty work stores with one worker, two workers and Dask (once its workers
are up), asks an up-to-date workspace for nothing, and plans, splits and oversamples up to 100,000
clips. `--light` leaves out all that renders. Ends with one JSON line:

overhead_share   of a run through DVC and Prefect, what the bare functions did not take
two_workers      clips a second with two workers to those with one
dask_ratio       the same with a Dask LocalCluster of two
noop_seconds     `pallor run` with nothing to do
growth_exponent  of the slowest of plan, split, oversample in the number of clips, by least squares
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SIZES = (10, 100, 1000, 100_000)
EXPRESSIONS = 5  # clips a person
RENDER = """
import sys, time
from pathlib import Path
from prefect import flow, task
from prefect.futures import wait
from flows.chunks import make_all
from flows.runners import task_runner, workers
from flows.server import prefect_server
from flows.workspace import home
from pipeline.corpus import render
from pipeline.params import load_params, parse_params
from pipeline.corpus.plan import make_plan
from pipeline.records import ClipPlan

def main():
    values = load_params(Path("params.yaml")).model_dump()
    values["plan"]["identities"] = int(sys.argv[1])
    params = parse_params(values)
    rows = [r for r in make_plan(params, Path("portraits/register.csv")) if isinstance(r, ClipPlan)]
    jobs = render.clip_jobs(rows)

    # A cluster stands for hours: its start, and its workers' imports, are not the clips' time.
    @task
    def awake():
        import flows.chunks, pipeline.corpus.render
        time.sleep(3)

    @flow(name="scale", task_runner=task_runner())
    def scale():
        wait([awake.submit() for _ in range(workers())])
        start = time.monotonic()
        make_all("render", jobs, render.work, params.render.chunk)
        print("SECONDS", time.monotonic() - start, flush=True)

    with prefect_server(home()):
        scale()

if __name__ == "__main__":
    main()
"""
BARE = """
import sys, time
from pathlib import Path
from flows.workspace import home
from pipeline.corpus import render
from pipeline.params import load_params, parse_params
from pipeline.corpus.plan import make_plan
from pipeline.records import ClipPlan
from pipeline.store.store import Store

values = load_params(Path("params.yaml")).model_dump()
values["plan"]["identities"] = int(sys.argv[1])
params = parse_params(values)
rows = [r for r in make_plan(params, Path("portraits/register.csv")) if isinstance(r, ClipPlan)]
jobs = render.clip_jobs(rows)
start = time.monotonic()
for first in range(0, len(jobs), params.render.chunk):
    render.work(jobs[first : first + params.render.chunk], Store(home(), "render"))
print("SECONDS", time.monotonic() - start, flush=True)
"""


def main() -> None:
    """Measure what was asked for and print the JSON line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--light", action="store_true", help="planned clips alone, no rendering")
    options.add_argument("--people", type=int, default=6, help="rendered, five clips each")
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="planned clips")
    given = options.parse_args()
    growth = planned_clips(given.sizes)
    result: dict[str, Any] = {"growth_exponent": exponent(growth), "growth": growth}
    if not given.light:
        result = {**rendered(given.people), "noop_seconds": noop(), **result}
    print(json.dumps(result))


def rendered(people: int) -> dict[str, Any]:
    """Seconds of the same clips bare, through Prefect, with two workers and with Dask."""
    seconds = {
        "bare": rendering(BARE, people, workers=1),
        "one": rendering(RENDER, people, workers=1),
        "two": rendering(RENDER, people, workers=2),
        "dask": rendering(RENDER, people, workers=2, runner="dask"),
    }
    for name, spent in seconds.items():
        print(f"{name:<6}{spent:8.1f} s  {people * EXPRESSIONS / spent * 3600:6.0f} clips an hour")
    return {
        "overhead_share": 1 - seconds["bare"] / seconds["one"],
        "two_workers": seconds["one"] / seconds["two"],
        "dask_ratio": seconds["one"] / seconds["dask"],
        "render_seconds": seconds,
    }


def rendering(program: str, people: int, workers: int, runner: str = "threads") -> float:
    """Seconds to make the clips of so many people in an empty work store."""
    with tempfile.TemporaryDirectory(prefix="pallor-scale-") as scratch:
        home = Path(scratch)
        (home / "assets").symlink_to((ROOT / ".pallor" / "assets").resolve())
        script = home / "measured.py"
        script.write_text(program)
        settings = {"PALLOR_HOME": str(home), "PALLOR_WORKERS": str(workers)}
        settings |= {"PALLOR_RUNNER": runner, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, str(script), str(people)], cwd=ROOT, env={**os.environ, **settings},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    [line] = [line for line in run.stdout.splitlines() if line.startswith("SECONDS")]
    return float(line.split()[1])


def noop() -> float:
    """Seconds of `pallor run` in this checkout, which must be up to date."""
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run"], cwd=ROOT, check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    if "nothing to run" not in run.stdout:
        raise SystemExit("the checkout was not up to date; run `make corpus` first")
    return round(time.monotonic() - start, 2)


def planned_clips(sizes: list[int]) -> list[dict[str, float]]:
    """Seconds and memory of plan, split and oversample, each size in a process of its own."""
    rows = []
    for size in sizes:
        command = [sys.executable, __file__, "--child", str(size)]
        run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(run.stdout.splitlines()[-1]))
        print({k: round(v, 3) for k, v in rows[-1].items()}, flush=True)
    return rows


def one_size(clips: int) -> dict[str, float]:
    """Plan that many avatar clips, then split and oversample their tracks as if all were kept.

    Seconds are of the processor: one thread does it all, and a busy machine must not count.
    """
    from pipeline.corpus.plan import make_plan
    from pipeline.params import load_params, parse_params
    from pipeline.records import ClipPlan, FaceTrack
    from pipeline.splits.oversample import crop_features, oversample
    from pipeline.splits.split import split

    values = load_params(ROOT / "params.yaml").model_dump()
    values["plan"]["identities"] = max(2, clips // EXPRESSIONS)
    params = parse_params(values)
    marks = [time.process_time()]
    rows = make_plan(params, ROOT / "portraits" / "register.csv")
    marks.append(time.process_time())
    tracks = [
        FaceTrack(
            clip_id=row.clip_id, kind="avatar", label=row.expression, portrait_id=None,
            identity_id=row.person.identity_id, driving_clip_id=row.clip_id, person=row.person,
            detector="haar", boxes=[[0.0, 0.0, 64.0, 64.0]] * row.frames,
        )
        for row in rows if isinstance(row, ClipPlan)
    ]  # fmt: skip
    marks.append(time.process_time())
    samples = split(tracks, params.split, 1)
    marks.append(time.process_time())
    for protocol in samples.values():
        oversample(protocol, params.oversample, 2, crop_features(ROOT / "data" / "faces"))
    marks.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {
        "clips": len(tracks), "plan_s": marks[1] - marks[0], "split_s": marks[3] - marks[2],
        "oversample_s": marks[4] - marks[3], "peak_mb": peak,
    }  # fmt: skip


def exponent(rows: list[dict[str, float]]) -> float:
    """The steepest slope of log seconds over log clips, of sizes that take a tenth of a second."""
    slopes = []
    for name in ("plan_s", "split_s", "oversample_s"):
        points = [(math.log(r["clips"]), math.log(r[name])) for r in rows if r[name] > 0.1]
        if len(points) > 1:
            slopes.append(slope(points))
    return round(max(slopes), 3) if slopes else math.nan


def slope(points: list[tuple[float, float]]) -> float:
    """Of the least-squares line."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    top = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return top / sum((x - mean_x) ** 2 for x, _ in points)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(one_size(int(sys.argv[2]))))
    else:
        main()
