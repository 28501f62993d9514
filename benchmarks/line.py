"""What each stage of a run cost beside its floor: the arithmetic that cannot be left out.

`python benchmarks/line.py --root WORKSPACE` reads a finished workspace and writes nothing there.
Wall seconds come from its newest run record. CPU seconds are the Blender workers' own, from the
work store's log; of the other stages they are measured here on a few items of the stage's work and
scaled to all. Floors: path tracing and denoising of every frame; convolutions at the rate at which
this machine multiplies matrices; encoding and decoding; the detector. Stages that do no such work
have a wall time alone. One thread, as the stages' workers have.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import imageio.v3 as iio
import numpy as np
import torch
from render import run
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import fomm
import models
from pipeline.corpus.planned import Plan, read_plan
from pipeline.corpus.render import spec_of
from pipeline.faces.detect import choose_detector, neutral_box
from pipeline.faces.faces import crop_faces
from pipeline.files import read_json
from pipeline.media.video import read_clip, write_clip
from pipeline.params import Params, load_params
from pipeline.precision import processor_precision
from pipeline.stage import FACENETS, name_of, study_of
from pipeline.store.threads import one_thread
from pipeline.study import read_study
from pipeline.workspace import MAIN, Workspace

HERE = Path(__file__).parent
SIDE = 1024  # of the matrices that are multiplied: large enough for the full rate
ROUNDS = 5  # of each timing, of which the median counts


class Cost(NamedTuple):
    """CPU seconds of a stage, its floor by part, and where the rest goes."""

    cpu: float
    floor: dict[str, float]
    rest: str


def main() -> None:
    """Print a table and end with one JSON line."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--root", type=Path, default=Path(), help="a workspace with a finished run")
    page.add_argument("--study", default=MAIN)
    page.add_argument("--items", type=int, default=4, help="clips measured of transfer and faces")
    options = page.parse_args()
    files = Workspace(options.study, options.root.resolve())
    walls = last_run(files)
    plan, params = (
        read_plan(files.plan),
        load_params(files.params, read_study(files.study_file).params),
    )
    with one_thread():
        rates = {dtype: matrix_rate(dtype) for dtype in (torch.float32, torch.bfloat16)}
        costs = {
            "render": rendered(files, [spec_of(clip) for clip in plan.clips], "render"),
            "portraits": rendered(
                files, [spec_of(p.clip) for p in plan.portraits if p.clip], "portraits"
            ),
            "transfer": transferred(files, plan, params, options.items, rates),
            "faces": cropped(files, plan, params, options.items),
            "train": trained(files, params, rates),
        }
    report(walls, costs, rates)


def last_run(files: Workspace) -> dict[str, float]:
    """Wall seconds by stage of the newest run in which rendering did work; SystemExit without."""
    for path in sorted((files.root / ".pallor/runs").glob("*-corpus-*.json"), reverse=True):
        walls = {
            name_of(row["stage"]): float(row["seconds"])
            for row in read_json(path).get("stages", [])
            if row["outcome"] == "Done" and study_of(row["stage"]) in (files.study, None)
        }
        if "render" in walls:
            return walls
    raise SystemExit(f"no run from nothing is recorded in {files.root}; `make corpus` first")


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOP a CPU second of a square matrix product, the best of a few rounds."""
    a = torch.rand(SIDE, SIDE).to(dtype)
    return 2 * SIDE**3 / min(cpu_seconds(lambda: a @ a) for _ in range(2 * ROUNDS))


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of a call, those of processes that it started and that ended with it included."""

    def spent() -> float:
        of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + of_children.ru_utime + of_children.ru_stime

    before = spent()
    work()
    return spent() - before


def flops(work: Callable[[], object]) -> float:
    """Floating-point operations of the convolutions and products of a call."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def rendered(files: Workspace, specs: list[dict[str, Any]], stage: str) -> Cost:
    """Path tracing and denoising of one clip, scaled to all frames; CPU of the workers' log."""
    log = (files.root / f".pallor/work/{stage}.log.jsonl").read_text().splitlines()
    ended = [row for row in map(json.loads, log) if row.get("event") == "worker ended"]
    cpu = sum(row["core_seconds"] for row in ended)
    with tempfile.TemporaryDirectory(prefix="pallor-bench-") as scratch:
        found = run([HERE / "render_child.py"], specs[:1], Path(scratch))[0]
    frames = sum(spec["frames"] for spec in specs)
    floor = {part: frames * found[part] for part in ("tracing", "denoising")}
    inside = frames * found["rest"]
    outside = cpu - sum(floor.values()) - inside
    rest = (
        f"scene and BVH {inside:.0f} s, {len(ended)} starts, people, poses, files {outside:.0f} s"
    )
    return Cost(cpu, floor, rest)


def transferred(files: Workspace, plan: Plan, params: Params, items: int, rates: dict) -> Cost:
    """The stage's own steps on a few transfers, each with the key points of its driving clip."""
    model = fomm.load_checkpoint(files.root / params.motion.checkpoint, config="auto")
    parts: dict[str, list[float]] = {"read": [], "moved": [], "encoding": [], "floor": []}
    for row in plan.transfers[:items]:
        still = files.portraits / f"{row.portrait_id}.png"
        video = files.clips / f"{row.driving_clip_id}.mp4"
        face, driving = iio.imread(still), read_clip(video)

        def moved(face: np.ndarray = face, driving: np.ndarray = driving) -> np.ndarray:
            return model.perform(face, model.keypoints(driving))

        frames = moved()
        parts["read"].append(cpu_seconds(lambda still=still, video=video: (
            iio.imread(still), read_clip(video))))  # fmt: skip
        parts["moved"].append(cpu_seconds(moved))
        parts["encoding"].append(encoding(frames))
        parts["floor"].append(flops(moved) / rates[torch.float32])
    each = {name: median(values) * len(plan.transfers) for name, values in parts.items()}
    floor = {"convolutions": each["floor"], "video": each["read"] + each["encoding"]}
    lost = each["moved"] - each["floor"]
    rest = f"convolutions below the products' rate, and what is between them: {lost:.0f} s"
    return Cost(each["moved"] + floor["video"], floor, rest)


def encoding(frames: np.ndarray, fps: int = 8) -> float:
    """CPU seconds of one lossless clip, ffmpeg's own included."""
    with tempfile.TemporaryDirectory(prefix="pallor-bench-") as scratch:
        return cpu_seconds(lambda: write_clip(Path(scratch) / "clip.mp4", frames, fps))


def cropped(files: Workspace, plan: Plan, params: Params, items: int) -> Cost:
    """The stage's own steps on a few avatar clips; the detector is its floor, with the video."""
    detector = choose_detector(params.faces.detector, own=files.root / FACENETS).load()
    parts: dict[str, list[float]] = {"read": [], "detector": [], "cropped": [], "encoding": []}
    for clip in plan.clips[:: max(1, len(plan.clips) // items)][:items]:
        video = files.clips / f"{clip.clip_id}.mp4"
        frames = read_clip(video)

        def found(frames: np.ndarray = frames) -> np.ndarray:
            return detector.follow(frames, neutral_box(detector, frames[0]))

        found()  # compiles what is compiled at first use
        crops, _ = crop_faces(frames, detector, params.faces)
        parts["read"].append(cpu_seconds(lambda video=video: read_clip(video)))
        parts["detector"].append(cpu_seconds(found))
        parts["cropped"].append(cpu_seconds(
            lambda frames=frames: crop_faces(frames, detector, params.faces)))  # fmt: skip
        parts["encoding"].append(encoding(crops))
    count = len(plan.clips) + len(plan.transfers)
    each = {name: median(values) * count for name, values in parts.items()}
    floor = {"detector": each["detector"], "video": each["read"] + each["encoding"]}
    lost = max(0.0, each["cropped"] - each["detector"])
    return Cost(each["cropped"] + floor["video"], floor, f"gates, boxes and crops: {lost:.0f} s")


def trained(files: Workspace, params: Params, rates: dict) -> Cost:
    """Training steps of each trained model, as many as its record counts."""
    dtype = processor_precision()[0]
    cpu = floor = 0.0
    for path in sorted(files.models.rglob("*.json")):
        record = read_json(path)
        network = models.load(path.with_suffix(".safetensors")).network
        step = training_step(network, params.train.batch, dtype)
        windows = record["windows"]["originals"] + record["windows"]["copies"]
        steps = len(record["curve"]) * windows / params.train.batch
        step()
        cpu += steps * median(cpu_seconds(step) for _ in range(ROUNDS))
        floor += steps * flops(step) / rates[dtype]
    rest = "pooling, norms and gates; convolutions of few channels below the products' rate"
    return Cost(cpu, {"convolutions": floor}, rest)


def training_step(network: Any, batch: int, dtype: torch.dtype) -> Callable[[], None]:
    """Forward, backward and Adam on one batch; augmentation is not in it."""
    sizes = network.sizes
    windows = torch.rand(batch, sizes.frames, sizes.channels, sizes.size, sizes.size)
    targets = torch.arange(batch) % sizes.classes
    optimiser = torch.optim.Adam(network.train().parameters())

    def step() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            scores = network(windows).float()
        optimiser.zero_grad()
        functional.cross_entropy(scores, targets).backward()
        optimiser.step()

    return step


def report(walls: dict[str, float], costs: dict[str, Cost], rates: dict) -> None:
    """The table, and the line of JSON."""
    result: dict[str, Any] = {}
    print(f"{'stage':<11}{'wall s':>9}{'CPU s':>9}{'floor s':>9}{'ratio':>7}   the rest")
    for stage, wall in walls.items():
        cost = costs.get(stage)
        if cost is None:
            print(f"{stage:<11}{wall:9.1f}")
            result[stage] = {"wall_s": wall, "cpu_s": None, "floor_s": None, "over_floor": None}
            continue
        floor = sum(cost.floor.values())
        print(
            f"{stage:<11}{wall:9.1f}{cost.cpu:9.1f}{floor:9.1f}{cost.cpu / floor:7.2f}   ", end=""
        )
        print("; ".join([*(f"{name} {s:.0f}" for name, s in cost.floor.items()), cost.rest]))
        figures = {"cpu_s": cost.cpu, "floor_s": floor, "over_floor": cost.cpu / floor}
        parts = {f"{name}_s": seconds for name, seconds in cost.floor.items()}
        result[stage] = {"wall_s": wall, **rounded(figures | parts)}
    speeds = {str(dtype).removeprefix("torch."): rate / 1e9 for dtype, rate in rates.items()}
    print("matrix products:", ", ".join(f"{k} {v:.0f} GFLOP/s" for k, v in speeds.items()))
    floors = sum(sum(cost.floor.values()) for cost in costs.values())
    over = sum(cost.cpu for cost in costs.values()) / floors
    print(json.dumps({"line_over_floor": round(over, 3), "load": os.getloadavg()[0], **result}))


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
