"""ConvLSTM against Keras' ConvLSTM2D: the same layers, weights and data, in one run.

`python benchmarks/convlstm.py --keras-torch PYTHON --keras-tensorflow PYTHON`, each an interpreter
whose environment holds keras 3 and that backend (an extra of its own: neither belongs to Pallor).
Every contestant is a process with one thread; they take turns, round by round, so that whatever
else the machine does meets them alike. Times are CPU time of the process, a clip, medians over
rounds. Network: the train stage's layer (24 > 24 channels, 3 x 3, states of 8 x 8) over windows of
8 frames, mean over places of the last state, 5 classes; a training step is forward, backward and
Adam on 32 windows, float32.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAME = 1e-6  # largest difference of any hidden state


def main() -> None:
    """Print a table and end with one JSON line."""
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights.npz"
        players = {"pallor": start(sys.executable, "pallor", weights, "")}
        for name, python in (
            ("keras_torch", options.keras_torch), ("keras_tensorflow", options.keras_tensorflow)
        ):  # fmt: skip
            if python:
                players[name] = start(python, name.removeprefix("keras_"), weights, options.path)
        rounds = [
            {name: {task: ask(player, task) for task in tasks(name)} for name, player in
             players.items()} for _ in range(options.rounds + 1)
        ][1:]  # fmt: skip  # the first round warms up
        differences = {name: difference(weights, name) for name in players if name != "pallor"}
        for player in players.values():
            player.stdin.close()
            player.wait()
    report(rounds, differences)


def arguments() -> argparse.Namespace:
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--keras-torch", metavar="PYTHON")
    page.add_argument("--keras-tensorflow", metavar="PYTHON")
    page.add_argument("--path", default="", help="PYTHONPATH of the Keras interpreters")
    page.add_argument("--rounds", type=int, default=7)
    return page.parse_args()


def start(python: str, backend: str, weights: Path, path: str) -> subprocess.Popen:
    """A contestant that answers one task a line; `pallor` comes first and writes the weights."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
    environment = os.environ | threads | {
        "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTEROP_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(ROOT) if backend == "pallor" else path,
    }  # fmt: skip
    script = Path(__file__).with_name("convlstm_player.py")
    player = subprocess.Popen(
        [python, str(script), backend, str(weights)], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    ask(player, "ready")
    return player


def tasks(name: str) -> tuple[str, ...]:
    return ("train", "infer", "floor") if name == "pallor" else ("train", "infer")


def ask(player: subprocess.Popen, task: str) -> float:
    """CPU-milliseconds a clip of one task."""
    player.stdin.write(task + "\n")
    player.stdin.flush()
    for line in player.stdout:
        if line.startswith("ms "):
            return float(line.split()[1])
    raise SystemExit(f"a contestant ended during '{task}'; its words stand above")


def difference(weights: Path, name: str) -> float:
    """Largest difference of its hidden states from ours, with the same weights and frames."""
    import numpy as np

    ours, theirs = (
        np.load(weights.with_name(f"states_{who}.npy"))
        for who in ("pallor", name.removeprefix("keras_"))
    )
    return float(np.abs(ours - theirs).max())


def report(rounds: list[dict], differences: dict[str, float]) -> None:
    ours = {task: median(rounds, "pallor", task) for task in tasks("pallor")}
    print(f"{'pallor':20}train {ours['train']:7.1f}  infer {ours['infer']:7.1f}  CPU-ms a clip")
    print(f"{'convolutions alone':20}train {ours['floor']:7.1f}")
    figures = {"train_ms": ours["train"], "inference_ms": ours["infer"],
               "floor_share": ours["floor"] / ours["train"]}  # fmt: skip
    for name, apart in differences.items():
        train, infer = median(rounds, name, "train"), median(rounds, name, "infer")
        same = "the same states" if apart <= SAME else "NOT the same states"
        print(f"{name:20}train {train:7.1f}  infer {infer:7.1f}  {same}, {apart:.1e} apart")
        figures |= {f"train_vs_{name}": train / ours["train"],
                    f"inference_vs_{name}": infer / ours["infer"],
                    f"difference_{name}": apart}  # fmt: skip
    print(json.dumps({key: round(value, 9) for key, value in figures.items()}))


def median(rounds: list[dict], name: str, task: str) -> float:
    return statistics.median(row[name][task] for row in rounds)


if __name__ == "__main__":
    main()
