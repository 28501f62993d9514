"""The loop around a training's steps: where it goes on from, what it says, what it keeps."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from fomm.data import Performances
from fomm.model import MotionModel
from fomm.perception import Perception
from fomm.recipe import TrainConfig
from fomm.train import Losses, Trainer

EVERY = 50  # steps a line of progress and a point of the curve stand for


def train(
    data: Performances,
    config: TrainConfig,
    seed: int,
    state: Path | None = None,
    say: Callable[[str], None] = print,
    device: str = "cpu",
    start: MotionModel | None = None,
    perception: Perception | None = None,
) -> tuple[MotionModel, list[Losses]]:
    """A motion model trained on `data`, and its loss curve, a point every 50 steps.

    `state` is where a killed run finds its last step; the caller removes it when done with it.
    """
    trainer = Trainer(config, seed, device, start, perception)
    say(f"precision {'bf16' if config.bf16 else 'float32'}")
    if state is not None and state.is_file():
        trainer.resume(state)
        say(f"going on from step {trainer.step}")
    begun = time.monotonic()
    while trainer.step < trainer.total:
        sums = trainer.sums
        for name, value in trainer.advance(data).items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value
        if trainer.step % EVERY == 0 or trainer.phase()[1] == 0 or trainer.step == trainer.total:
            say(_progress(trainer, sums, time.monotonic() - begun))
            trainer.sums, begun = {}, time.monotonic()
        if state is not None and trainer.step % config.save_every == 0:
            trainer.save(state)
    return trainer.finished(), trainer.curve


def _progress(trainer: Trainer, sums: dict[str, Tensor], seconds: float) -> str:
    count = (trainer.step - 1) % EVERY + 1
    means = {name: round(float(value) / count, 5) for name, value in sums.items()}
    trainer.curve.append({"step": trainer.step, **means})
    parts = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
    return f"step {trainer.step}/{trainer.total}  {count / seconds:.2f} steps/s  {parts}"
