"""What rendering costs: `python benchmarks/render.py` (speed), `--quality`, `--memory`.

Speed, paired person by person in one run: the product's own code on a chunk, the plain script
(`plain_render.py`) with Blender's default denoiser and with ours, and two pinned workers against
one. Figures are medians over the clips; the last line is one JSON object. Wants a quiet machine:
the load average at start and end is part of the answer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from avatars.assets import find
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import spec_of
from pipeline.params import Params

HERE = Path(__file__).parent
CHUNK = 5  # clips that share a worker's start, as render.chunk
ROUNDS = 5  # of two workers against one: single rounds differ by a fifth on a shared machine
WORKER = ["-m", "avatars.worker"]


def main() -> None:
    """Run what was asked for and end with one JSON line."""
    options = arguments()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="pallor-bench-") as folder:
        if options.memory:
            result = memory(options, Path(folder))
        elif options.quality:
            result = quality(options, Path(folder))
        else:
            result = speed(options, Path(folder))
    print(json.dumps({**result, "load_before": before, "load_after": os.getloadavg()[0]}))


def speed(options: argparse.Namespace, scratch: Path) -> dict:
    """Overhead, the plain script and two workers, on the same clips in turns."""
    rows = []
    for number in range(options.clips):
        displays = Params().plan.expressions[:CHUNK]  # a chunk is one person's displays
        specs = [specification(options, number, display) for display in displays]
        spec = specs[number % CHUNK]
        ours = run([HERE / "render_child.py"], specs, scratch)[0]
        for name in ("seconds", "busy", "called", "frames"):
            ours[name] /= CHUNK
        default = run([HERE / "plain_render.py"], [spec], scratch, denoiser="default")[0]
        same = run([HERE / "plain_render.py"], [spec], scratch, denoiser="ours")[0]
        start = start_seconds(scratch)
        outside = ours["busy"] - ours["called"] + ours["frames"] * ours["rest"]
        rows.append({
            "seconds_per_frame": ours["seconds"] / ours["frames"],
            "tracing_per_frame": ours["tracing"], "denoising_per_frame": ours["denoising"],
            "outside_the_call": 1 - ours["called"] / ours["busy"],
            "overhead_share": outside / ours["busy"],
            "overhead_share_with_start": (outside + start / CHUNK) / (ours["busy"] + start / CHUNK),
            "vs_plain_script": default["seconds"] / ours["seconds"],
            "vs_plain_script_same_denoiser": same["seconds"] / ours["seconds"],
            "worker_start_s": start,
        })  # fmt: skip
        print(" ".join(f"{name} {value:.3f}" for name, value in rows[-1].items()), flush=True)
    result = {name: median(row[name] for row in rows) for name in rows[0]}
    return {**result, "two_workers": two_workers(options, scratch), "clips": options.clips}


def two_workers(options: argparse.Namespace, scratch: Path) -> float:
    """Time of one worker over time of two, starts included: the median of rounds in turns.

    Shares of one size: how evenly chunks fall is the schedule's affair (`benchmarks/scale.py`).
    """
    specs = [specification(options, number, "FD1") for number in range(max(1, options.clips // 2))]
    cores = sorted(os.sched_getaffinity(0))[:2]
    ratios = []
    for turn in range(ROUNDS):
        one = timed([(specs * 2, cores[turn % len(cores)])], scratch)
        ratios.append(one / timed([(specs, core) for core in cores], scratch))
        print(f"two workers, round {turn + 1}: {ratios[-1]:.3f}", flush=True)
    return median(ratios)


def timed(shares: list, scratch: Path) -> float:
    """Wall seconds of one worker a share (specifications, core), all at once."""
    threads = [
        threading.Thread(target=run, args=(WORKER, specs, scratch, core)) for specs, core in shares
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def start_seconds(scratch: Path) -> float:
    """Wall seconds of a worker with nothing to render."""
    start = time.perf_counter()
    run(WORKER, [], scratch)
    return time.perf_counter() - start


def quality(options: argparse.Namespace, scratch: Path) -> dict:
    """PSNR in dB of few samples to many, on equally many dark and light people."""
    found: dict[str, list[float]] = {}
    chosen = [n for n in range(60) if person(n).ethnicity != "asian"]
    for number in chosen[: options.people]:
        spec = {**specification(options, number, "neutral"), "stills": [{}], "frames": 1}
        counts = [*options.counts, options.reference]
        run(WORKER, [{**spec, "samples": count} for count in counts], scratch)
        pictures = [np.load(scratch / str(n) / "frames.npy")[0] for n in range(len(counts))]
        skin = "dark" if person(number).ethnicity == "african" else "light"
        for count, picture in zip(options.counts, pictures, strict=False):
            value = psnr(picture, pictures[-1])
            found.setdefault(f"{count}", []).append(value)
            found.setdefault(f"{count} {skin}", []).append(value)
            print(f"person {number} {skin} {count} samples: {value:.2f} dB", flush=True)
    return {"psnr_db": {k: {"median": median(v), "least": min(v)} for k, v in found.items()}}


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of (H, W, 3) uint8 pictures."""
    error = np.mean((picture.astype(float) - reference.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def memory(options: argparse.Namespace, scratch: Path) -> dict:
    """Resident memory of one worker, in MB, after each of many tiny clips of different people."""
    tiny = {"frames": 1, "stills": [{}], "size": 32, "samples": 1}
    specs = [{**specification(options, n, "neutral"), **tiny} for n in range(options.clips)]
    resident: list[float] = []
    run(WORKER, specs, scratch, watch=lambda pid: resident.append(resident_mb(pid)))
    tail = resident[len(resident) // 4 :]
    slope = float(np.polyfit(range(len(tail)), tail, 1)[0]) if len(tail) > 1 else 0.0
    marks = {f"after_{n}": resident[n - 1] for n in (1, 10, 50, 100, 200) if n <= len(resident)}
    return {"clips": len(resident), "resident_mb": marks, "mb_per_clip_after_a_quarter": slope}


def resident_mb(pid: int) -> float:
    """Resident set size of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def run(program, specs, scratch, core=None, watch=None, **more) -> list[dict]:
    """Give a program the request; its JSON lines. A thread's own folders lie by the core's name."""
    outs = [scratch / (f"{core}-{n}" if core is not None else str(n)) for n in range(len(specs))]
    for out in outs:
        out.mkdir(exist_ok=True)
    clips = [{"spec": spec, "out": str(out)} for spec, out in zip(specs, outs, strict=True)]
    pinned = sorted(os.sched_getaffinity(0))[0] if core is None else core
    assets = str(find(Path(".pallor")).root.resolve())
    request = {
        "assets": assets,
        "threads": 1,
        "core": pinned,
        "portable": True,
        "clips": clips,
        **more,
    }
    with subprocess.Popen(
        [sys.executable, *map(str, program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    ) as child:  # fmt: skip
        child.stdin.write(json.dumps(request))
        child.stdin.close()
        lines = []
        for line in child.stdout:
            lines.append(line)
            if watch and line.startswith("done"):
                watch(child.pid)
    if child.returncode:
        raise SystemExit(f"{program} failed with code {child.returncode}")
    return [json.loads(line) for line in lines if line.startswith("{")]


def person(number: int):
    """Person `number` of the benchmark's population: nobody of the corpus."""
    return population(Params(), "benchmark", number)


def specification(options: argparse.Namespace, number: int, expression: str) -> dict:
    """One clip of person `number` at the asked size and samples."""
    clip = plan_clip(Params(), person(number), f"bench/{number}", expression, options.frames)
    seconds = Params().plan.frames / Params().plan.fps  # fewer frames, same time: displays fit
    fps = max(1, round(options.frames / seconds))
    return {**spec_of(clip), "fps": fps, "size": options.size, "samples": options.samples}


def arguments() -> argparse.Namespace:
    """What to measure, and how much of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quality", action="store_true", help="PSNR to many samples (slow)")
    options.add_argument("--memory", action="store_true", help="memory over many clips")
    options.add_argument("--clips", type=int, help="default 4, 200 with --memory")
    options.add_argument("--people", type=int, default=10, help="with --quality")
    options.add_argument("--counts", type=int, nargs="+", default=[4, 8, 16, 32])
    options.add_argument("--reference", type=int, default=1024, help="samples, with --quality")
    options.add_argument("--frames", type=int, default=Params().plan.frames)
    options.add_argument("--size", type=int, default=Params().plan.size)
    options.add_argument("--samples", type=int, default=Params().render.samples)
    given = options.parse_args()
    given.clips = given.clips or (200 if given.memory else 4)
    return given


if __name__ == "__main__":
    main()
