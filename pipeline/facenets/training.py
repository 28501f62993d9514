"""The loop behind both networks: Adam, a cosine decay, and a file to go on from after a kill."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import StageError
from pipeline.files import writing

THREADS = 2  # the sums' order, and so the bytes, follow from it
WARMUP = 50  # steps with a rising rate: the first gradients are large and say little
CLIP = 5.0  # largest norm of a gradient
EVERY = 25  # steps that a line of progress and a point of the curve stand for
SAVED = 50  # steps that a killed run loses at most

Batch = tuple[Tensor, ...]
Curve = list[dict[str, float]]
Draw = Callable[[int, np.random.Generator], Batch]  # of a step, from a generator of its own
Loss = Callable[[nn.Module, Batch], Tensor]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """What is trained and on what; `rate` is the highest learning rate of `steps` steps."""

    name: str
    net: nn.Module
    draw: Draw
    loss: Loss
    steps: int
    rate: float


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """THREADS threads, deterministic kernels and seeded initial weights, then all as before."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        torch.set_num_threads(THREADS)
        torch.use_deterministic_algorithms(True)
        # Clearing each new tensor costs an eighth of a step and no operation here reads one.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)


def train(task: Task, seed: int, state: Path | None, say: Say) -> Curve:
    """Train in place; the loss curve, one point each EVERY steps. Run it inside `repeatable`.

    Step n draws from a generator of its own, so a resumed run and an unbroken one agree. `state` is
    where a killed run finds its last step; the caller removes it. Raises StageError when it is of
    another network.
    """
    optimiser = torch.optim.Adam(task.net.parameters(), task.rate)
    step, curve = _resume(state, task, optimiser)
    if step:
        say(f"{task.name}: going on from step {step}")
    task.net.train()
    losses: list[float] = []
    begun = time.monotonic()
    while step < task.steps:
        for group in optimiser.param_groups:
            group["lr"] = task.rate * share(step, task.steps)
        losses.append(_advance(task, optimiser, step, seed))
        step += 1
        if step % EVERY == 0 or step == task.steps:
            curve.append({"step": step, "loss": round(float(np.mean(losses)), 6)})
            say(_progress(task, curve[-1], (time.monotonic() - begun) / len(losses)))
            losses, begun = [], time.monotonic()
        if state is not None and (step % SAVED == 0 or step == task.steps):
            _save(state, task, optimiser, step, curve)
    task.net.eval()
    return curve


def share(step: int, steps: int) -> float:
    """Of the highest rate: rising for WARMUP steps, falling to zero as a cosine."""
    return min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _advance(task: Task, optimiser: torch.optim.Optimizer, step: int, seed: int) -> float:
    batch = task.draw(step, np.random.default_rng([seed, step]))
    loss = task.loss(task.net, batch)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(task.net.parameters(), CLIP)
    optimiser.step()
    return loss.item()


def _progress(task: Task, point: dict[str, float], seconds: float) -> str:
    left = seconds * (task.steps - point["step"]) / 60
    return (
        f"{task.name} step {point['step']}/{task.steps}  loss {point['loss']:.5f}  "
        f"{seconds:.2f} s a step, {left:.1f} min left at this pace"
    )


def _save(
    path: Path, task: Task, optimiser: torch.optim.Optimizer, step: int, curve: Curve
) -> None:
    with writing(path) as part:
        torch.save(
            {
                "net": task.net.state_dict(), "optimiser": optimiser.state_dict(), "step": step,
                "curve": curve,
            },
            part,
        )  # fmt: skip


def _resume(path: Path | None, task: Task, optimiser: torch.optim.Optimizer) -> tuple[int, Curve]:
    if path is None or not path.is_file():
        return 0, []
    stored = torch.load(path, weights_only=True)
    try:
        task.net.load_state_dict(stored["net"])
        optimiser.load_state_dict(stored["optimiser"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise StageError(f"{path} is of another training; delete it to start anew") from error
    return int(stored["step"]), stored["curve"]
