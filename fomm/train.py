"""Training of a motion model on rendered performances: deterministic, resumable, CPU or GPU.

Three things replace what the paper's recipe needs days of GPU and VGG weights for: key points
taught by landmarks, rendered cross-identity truth, and losses that look hardest at eyes and mouth.
"""

import copy
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fomm.config import CONFIGS, MotionConfig
from fomm.data import Batch, Performances, draw_batch
from fomm.errors import MotionError
from fomm.generator import Generated
from fomm.keypoints import KeyPoints, relative_motion
from fomm.losses import gradient_loss, point_loss, pyramid_loss, weighted_loss
from fomm.model import MotionModel
from fomm.supervision import eye_and_mouth_weight, key_point_targets

Losses = dict[str, float]
EVERY = 50  # steps a line of progress and a point of the curve stand for


@dataclass(frozen=True)
class TrainConfig:
    """How a motion model is trained; the choices were measured on two CPU cores."""

    model: MotionConfig = CONFIGS["compact-128"]
    steps: int = 4000  # of the whole model
    point_steps: int = 600  # key points alone first: cheap, and flow is useless before they hold
    batch: int = 8  # what two cores hold in bf16
    learning_rate: float = 6e-4  # cosine to zero; 2e-4 (the paper) leaves a short run unfinished
    cross: float = 0.5  # share of cross-identity triplets: the task itself, and self for detail
    points: float = 10.0  # key points' distance is some 0.01, images' 0.05: brings them level
    warped: float = 0.5  # the merely warped source must already fit: flow is learned in minutes
    gradient: float = 1.0  # lids and lips are edges
    face: float = 1.0  # eyes and mouth are 5 % of the pixels and all of the meaning
    ema: float = 0.999  # averages away the noise of small batches
    measured: int = 50  # batches that the norm statistics of the averaged model are measured on
    save_every: int = 200  # steps that a killed run loses at most
    bf16: bool = True  # five times fp32's convolution speed on CPUs with AMX


class Trainer:
    """A model in training: networks, their moving average, optimizer and the step reached.

    `seed` decides everything; step n draws from its own generator, so a resumed run and an
    unbroken one give the same weights (same machine, same torch threads).
    """

    def __init__(self, config: TrainConfig, seed: int, device: str = "cpu"):
        torch.use_deterministic_algorithms(True)
        # Clearing each new tensor costs an eighth of a step and no operation here reads one.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        self.config, self.seed, self.device = config, seed, torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % 2**63)
            model = MotionModel(config.model)
        self.model = in_layout(model.to(self.device), torch.channels_last).train()
        self.average = copy.deepcopy(self.model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), betas=(0.5, 0.999))
        self.step = 0
        self.curve: list[Losses] = []

    @property
    def total(self) -> int:
        """Steps of both phases."""
        return self.config.point_steps + self.config.steps

    def rng(self, step: int) -> np.random.Generator:
        """The generator of one step."""
        return np.random.default_rng([self.seed, step])

    def advance(self, data: Performances) -> dict[str, Tensor]:
        """One optimisation step; the parts of its loss."""
        batch = _to(draw_batch(data, self.config.batch, self.config.cross, self.rng(self.step)),
                    self.device)  # fmt: skip
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            points_only = self.step < self.config.point_steps
            losses = self._point_losses(batch) if points_only else self._losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimizer.step()
        self._follow()
        self.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _rate(self) -> float:
        """Cosine within each phase, after 100 steps of warming up."""
        first = self.step < self.config.point_steps
        begin = 0 if first else self.config.point_steps
        length = self.config.point_steps if first else self.config.steps
        warm = min(1.0, (self.step - begin + 1) / 100)
        cosine = 0.5 * (1 + math.cos(math.pi * (self.step - begin) / length))
        return self.config.learning_rate * warm * cosine

    def _point_losses(self, batch: Batch) -> dict[str, Tensor]:
        roles = list(batch.frames)
        found = self.model.kp_detector(torch.cat([batch.frames[role] for role in roles]))
        return {"points": self._teach(found, [batch.landmarks[role] for role in roles])}

    def _teach(self, found: KeyPoints, landmarks: list[Tensor]) -> Tensor:
        targets, seen = key_point_targets(torch.cat(landmarks))
        return self.config.points * point_loss(found.value, targets, seen)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        roles = ("source", "initial", "driving")
        found = self.model.kp_detector(torch.cat([batch.frames[role] for role in roles]))
        made = self._move(batch, found)
        truth, config = batch.frames["truth"], self.config
        weight = eye_and_mouth_weight(batch.landmarks["truth"], truth.shape[-1])
        return {
            "points": self._teach(found, [batch.landmarks[role] for role in roles]),
            "image": pyramid_loss(made.prediction, truth),
            "warped": config.warped * pyramid_loss(made.deformed, truth),
            "gradient": config.gradient * gradient_loss(made.prediction, truth),
            "face": config.face * weighted_loss(made.prediction, truth, weight),
            "warped face": config.warped * weighted_loss(made.deformed, truth, weight),
        }

    def _move(self, batch: Batch, found: KeyPoints) -> Generated:
        source, initial, driving = (found[i : i + self.config.batch] for i in
                                    range(0, len(found), self.config.batch))  # fmt: skip
        moved = relative_motion(source, initial, driving)
        made: Generated = self.model.generator(batch.frames["source"], source, moved)
        return made

    @torch.no_grad()
    def _follow(self) -> None:
        # A young average follows fast, so that a short run's is not its random start.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        for own, fresh in pairs:
            own.lerp_(fresh, 1 - decay)
        for kept, now in zip(self.average.buffers(), self.model.buffers(), strict=True):
            kept.copy_(now)

    def finished(self, data: Performances) -> MotionModel:
        """The averaged model with norm statistics measured for it, in evaluation mode."""
        model = copy.deepcopy(self.average)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # the plain mean of all batches
        with torch.no_grad():
            for i in range(self.config.measured):
                batch = _to(draw_batch(data, self.config.batch, self.config.cross,
                                       self.rng(self.total + i)), self.device)  # fmt: skip
                self._measure(model, batch)
        return in_layout(model.to("cpu"), torch.contiguous_format).eval()

    def _measure(self, model: MotionModel, batch: Batch) -> None:
        found = [model.kp_detector(batch.frames[role]) for role in ("source", "initial", "driving")]
        model.generator(batch.frames["source"], found[0], relative_motion(*found))

    def save(self, path: Path) -> None:
        """Everything needed to go on, written whole or not at all."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "curve": self.curve,
        }
        torch.save(state, part)
        os.replace(part, path)

    def resume(self, path: Path) -> None:
        """Go on from a saved state of the same configuration."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        try:
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise MotionError(f"{path} is of another training; delete it to start anew") from error
        self.step, self.curve = state["step"], state["curve"]


def in_layout(model: MotionModel, layout: torch.memory_format) -> MotionModel:
    """The model with its convolutions' weights laid out so, in place."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return model


def train(
    data: Performances,
    config: TrainConfig,
    seed: int,
    state: Path | None = None,
    say: Callable[[str], None] = print,
    device: str = "cpu",
) -> tuple[MotionModel, list[Losses]]:
    """A motion model trained on `data`, and its loss curve, a point every 50 steps.

    `state` is where a killed run finds its last step; the caller removes it when done with it.
    """
    trainer = Trainer(config, seed, device)
    if state is not None and state.is_file():
        trainer.resume(state)
        say(f"going on from step {trainer.step}")
    sums: dict[str, Tensor] = {}
    begun = time.monotonic()
    while trainer.step < trainer.total:
        losses = trainer.advance(data)
        sums = {name: sums.get(name, torch.zeros(())) + value for name, value in losses.items()}
        if trainer.step % EVERY == 0 or trainer.step in (config.point_steps, trainer.total):
            say(_progress(trainer, sums, time.monotonic() - begun))
            sums, begun = {}, time.monotonic()
        if state is not None and trainer.step % config.save_every == 0:
            trainer.save(state)
    return trainer.finished(data), trainer.curve


def _progress(trainer: Trainer, sums: dict[str, Tensor], seconds: float) -> str:
    count = (trainer.step - 1) % EVERY + 1
    means = {name: round(float(value) / count, 5) for name, value in sums.items()}
    trainer.curve.append({"step": trainer.step, **means})
    parts = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
    return f"step {trainer.step}/{trainer.total}  {count / seconds:.2f} steps/s  {parts}"


def _to(batch: Batch, device: torch.device) -> Batch:
    return Batch(
        {
            role: frames.to(device).contiguous(memory_format=torch.channels_last)
            for role, frames in batch.frames.items()
        },
        {role: points.to(device) for role, points in batch.landmarks.items()},
    )
