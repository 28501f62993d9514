"""Training from shards: how much memory many clips take, and what it costs where few would fit.

`python benchmarks/look_streaming.py CLIPS FOLDER` is the process whose memory `look.py` measures:
a whole training, from its table on, over drawn crops of so many clips. Decoding films is left out;
the line does it clip by clip.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.files import canonical
from pipeline.params import TrainParams
from pipeline.splits.crop_shards import CropShards, crop_shards
from pipeline.splits.tables import stream_cuts
from pipeline.splits.validation import hold_out
from pipeline.splits.windows import clips_of
from pipeline.training.learn import Recipe, learn

FRAMES, WINDOW = 16, 8
SIZE = {"peak": 16, "ratio": 64}  # px; 64 is the line's, and would take an hour
WINDOWS = FRAMES - WINDOW + 1  # of a clip: as many as the main study cuts
DISPLAYS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
SMALL = Recipe("lightcnn", TrainParams(epochs=1, batch=512), {"width": 4})
REAL = Recipe(
    "convlstm", TrainParams(epochs=1), {"hidden": 24, "dropout": 0.2}
)  # as the main study
ROUNDS = 3


def peak(clips: int) -> dict[str, float]:
    """Peak megabytes and seconds of a process that learns from so many clips for one epoch."""
    with tempfile.TemporaryDirectory(prefix="pallor-stream-") as folder:
        table = Path(folder) / "table.jsonl"
        with table.open("w") as out:
            out.writelines(canonical(row) + "\n" for row in rows(clips))
        command = [sys.executable, __file__, str(clips), folder]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def rows(clips: int) -> Iterator[dict]:
    """The table: the windows of each clip, then an oversampled copy of every sixth clip's."""
    for number in range(clips):
        yield from (row(number, start) for start in range(WINDOWS))
    for number in range(0, clips, 6):
        for start in range(WINDOWS):
            origin = row(number, start)
            name = f"sample-c{number:06x}{start:x}"
            yield origin | {"sample_id": name, "origin": origin["sample_id"]}


def row(number: int, start: int) -> dict:
    """A window of a clip."""
    return {
        "sample_id": f"sample-{number:08x}{start:x}", "clip_id": f"clip-{number:010x}",
        "start": start, "length": WINDOW, "label": DISPLAYS[number % 5],
        "group": f"identity-{number // 5:010x}", "side": "train", "origin": None, "partner": None,
    }  # fmt: skip


def crops(number: int, size: int) -> np.ndarray:
    """(T, S, S) uint8 of a clip: noise of its own, a bar where its display is."""
    frames = np.random.default_rng(number).integers(0, 120, (FRAMES, size, size), dtype=np.uint8)
    bar = size // 6 * (number % 5)
    frames[:, bar : bar + size // 8] += 100
    return frames


def child(clips: int, folder: Path) -> None:
    """Learn once over so many clips; the last line is JSON."""
    begun = time.monotonic()
    parts = hold_out(list(stream_cuts(folder / "table.jsonl", True)), "group", 0.02, 0)
    with crop_shards(folder) as shards:
        for number in range(clips):
            shards.add(f"clip-{number:010x}", crops(number, SIZE["peak"]))
        learn(SMALL, parts, shards, 0, lambda epoch: None)
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"mb": round(mb), "seconds": round(time.monotonic() - begun)}))


def against_memory(clips: int) -> dict[str, float]:
    """Processor seconds of a training from shards over those of one from memory, an epoch each.

    The network is the main study's. Least of ROUNDS each, taken in turns; processor time, because
    a machine that others use would decide the other.
    """
    with tempfile.TemporaryDirectory(prefix="pallor-stream-") as scratch:
        table = Path(scratch) / "table.jsonl"
        table.write_text("".join(canonical(row) + "\n" for row in rows(clips)))
        parts = hold_out(list(stream_cuts(table, True)), "group", 0.15, 0)
    made = {f"clip-{number:010x}": crops(number, SIZE["ratio"]) for number in range(clips)}
    seen = {name: made[name] for name in clips_of([*parts[0], *parts[1]])}
    times: dict[str, list[float]] = {"memory": [], "shards": []}
    for _ in range(ROUNDS):
        times["memory"].append(_cost(parts, seen, None))
        with tempfile.TemporaryDirectory(prefix="pallor-stream-") as scratch:
            times["shards"].append(_cost(parts, seen, Path(scratch)))
    least = {name: min(found) for name, found in times.items()}
    return least | {"ratio": least["shards"] / least["memory"]}


def _cost(parts: tuple, made: dict[str, np.ndarray], folder: Path | None) -> float:
    begun = time.process_time()
    if folder is None:
        learn(REAL, parts, made, 0, lambda epoch: None)
    else:
        with crop_shards(folder) as shards:
            _fill(shards, made)
            learn(REAL, parts, shards, 0, lambda epoch: None)
    return time.process_time() - begun


def _fill(shards: CropShards, made: dict[str, np.ndarray]) -> None:
    for name, frames in made.items():
        shards.add(name, frames)


if __name__ == "__main__":
    child(int(sys.argv[1]), Path(sys.argv[2]))
