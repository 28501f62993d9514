"""Training of a motion model on rendered performances: deterministic, resumable, CPU or GPU.

Three things replace what the paper's recipe needs days of GPU and VGG weights for: key points
taught by landmarks, rendered cross-identity truth, and losses that look hardest at eyes and mouth.
A fourth saves steps of the whole: what can be learned by a part alone is learned there first.
"""

import copy
import math
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fomm.data import Batch, Faults, Performances, draw_batch
from fomm.dense_motion import Motion
from fomm.errors import MotionError
from fomm.exact import ExactFlow
from fomm.generator import Decoded, Moved, warp
from fomm.initial import pass_through, take_over
from fomm.keypoints import KeyPoints, relative_motion
from fomm.losses import (
    exact_losses,
    gradient_loss,
    painted_losses,
    point_loss,
    pyramid_loss,
    weighted_loss,
)
from fomm.model import MotionModel
from fomm.perception import Perception
from fomm.recipe import TrainConfig
from fomm.supervision import eye_and_mouth_weight, key_point_targets, openings

Losses = dict[str, float]


class Trainer:
    """A model in training: networks, their moving average, optimizer and the step reached.

    It starts from `start` where one is given (fomm.initial.take_over), else from nothing.
    `seed` decides everything else; step n draws from its own generator, so a resumed run and an
    unbroken one give the same weights (same machine, same torch threads).
    """

    def __init__(
        self, config: TrainConfig, seed: int, device: str = "cpu", start: MotionModel | None = None,
        perception: Perception | None = None,
    ):  # fmt: skip
        if config.perceptual and perception is None:
            raise MotionError("a perceptual loss needs a network that perceives; none was given")
        # On a GPU the gradient of sampling has no fixed order: there it is said, here refused.
        torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
        # Clearing each new tensor costs an eighth of a step and no operation here reads one.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        self.config, self.seed, self.device = config, seed, torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % 2**63)
            model = MotionModel(config.model)
        pass_through(model.generator)
        if start is not None:
            take_over(model, start)
        # In float32 the gradient of a kernel takes up to twice as long in channels-last memory.
        self.layout = torch.channels_last if config.bf16 else torch.contiguous_format
        self.model = in_layout(model.to(self.device), self.layout).train()
        self.average = copy.deepcopy(self.model)
        self.perception = perception.to(self.device) if perception else None
        self.optimizer = torch.optim.Adam(self._groups(), betas=(0.5, 0.999))
        self.step = 0
        self.curve: list[Losses] = []
        self.sums: dict[str, Tensor] = {}  # of the losses since the curve's last point

    @property
    def total(self) -> int:
        """Steps of all phases."""
        return sum(self.config.phases().values())

    def phase(self) -> tuple[str, int, int]:
        """The phase of the next step, the step within it and its length."""
        begin = 0
        for name, length in self.config.phases().items():
            if self.step < begin + length:
                return name, self.step - begin, length
            begin += length
        return "finished", 0, 0

    def rng(self, step: int) -> np.random.Generator:
        """The generator of one step."""
        return np.random.default_rng([self.seed, step])

    def advance(self, data: Performances) -> dict[str, Tensor]:
        """One optimisation step; the parts of its loss."""
        batch = self._draw(data)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * self._rate()
        self._hold_norms()
        compute = {
            "points": self._point_losses, "flow": self._flow_losses,
            "picture": self._picture_losses, "whole": self._losses,
        }[self.phase()[0]]  # fmt: skip
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            losses = compute(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimizer.step()
        self._follow()
        self.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _draw(self, data: Performances) -> Batch:
        config = self.config
        worn = Faults(config.colour_cast, config.blur, config.jpeg)
        batch = draw_batch(data, config.batch, config.cross, self.rng(self.step), worn=worn)
        frames = {role: self._placed(images) for role, images in batch.frames.items()}
        landmarks = {role: points.to(self.device) for role, points in batch.landmarks.items()}
        flow = batch.flow
        if flow is not None:
            flow = ExactFlow(**{n: value.to(self.device) for n, value in vars(flow).items()})
        return Batch(frames, landmarks, flow)

    def _placed(self, images: Tensor) -> Tensor:
        return images.to(self.device).contiguous(memory_format=self.layout)

    def _groups(self) -> list[dict[str, Any]]:
        """Motion and image parameters, each with its highest learning rate."""
        image = [p for part in self.model.generator.image_path() for p in part.parameters()]
        known = {id(parameter) for parameter in image}
        motion = [p for p in self.model.parameters() if id(p) not in known]
        return [
            {"params": motion, "peak": self.config.learning_rate},
            {"params": image, "peak": self.config.image_rate},
        ]

    def _hold_norms(self) -> None:
        """No norm follows the batch in the last phase, the image path's from early on."""
        name, step, _ = self.phase()
        self.model.train(name != "whole")
        if name == "picture" and step >= self.config.hold_norms:
            for part in self.model.generator.image_path():
                part.eval()

    def _rate(self) -> float:
        """Share of the peak rate: cosine within each phase, after 100 steps of warming up."""
        _, step, length = self.phase()
        return min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / length))

    def _point_losses(self, batch: Batch) -> dict[str, Tensor]:
        roles = list(batch.frames)
        found = self.model.kp_detector(torch.cat([batch.frames[role] for role in roles]))
        return self._teach(found, [batch.landmarks[role] for role in roles])

    def _picture_losses(self, batch: Batch) -> dict[str, Tensor]:
        """The generator as an auto-encoder of crops: what is not warped must come out as it is."""
        size, side = batch.frames["truth"].shape[-1], self.config.picture_crop
        top, left = self.rng(self.step).integers(0, max(size - side, 0) + 1, 2)
        crop = batch.frames["truth"][:, :, top : top + side, left : left + side]
        crop = self._placed(crop)
        made = self.model.generator.reproduce(crop)
        return {
            "image": pyramid_loss(made, crop),
            "gradient": self.config.gradient * gradient_loss(made, crop),
        }

    def _teach(self, found: KeyPoints, landmarks: list[Tensor]) -> dict[str, Tensor]:
        targets, seen = key_point_targets(torch.cat(landmarks))
        apart = point_loss(openings(found.value), openings(targets), seen.new_ones(len(seen), 3))
        return {
            "points": self.config.points * point_loss(found.value, targets, seen),
            "openings": self.config.openings * apart,
        }

    def _flow_losses(self, batch: Batch) -> dict[str, Tensor]:
        """The merely warped source must already fit: no picture is encoded or decoded for it."""
        source, moved, losses = self._moved(batch)
        motion = self.model.generator.dense_motion_network(
            batch.frames["source"], source, moved, align_corners=True
        )
        deformed = warp(batch.frames["source"], motion.deformation, align_corners=True)
        return losses | self._warped_losses(deformed, batch) | self._exact_losses(motion, batch)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        source, moved, losses = self._moved(batch)
        motion, made = self._made(batch.frames["source"], source, moved)
        truth, weight = batch.frames["truth"], _face_weight(batch)
        losses |= self._warped_losses(made.deformed, batch) | self._exact_losses(motion, batch)
        losses |= {
            "image": pyramid_loss(made.prediction, truth),
            "gradient": self.config.gradient * gradient_loss(made.prediction, truth),
            "face": self.config.face * weighted_loss(made.prediction, truth, weight),
        }  # fmt: skip
        if self.perception is not None and self.config.perceptual:
            unlike = self.perception.loss(made.prediction.float(), truth)
            losses["perceptual"] = self.config.perceptual * unlike
        if made.painted is None:
            return losses
        wrong, doubt = painted_losses(made.painted, made.deformed, truth, weight)
        return losses | {"painted": self.config.painted * wrong, "share": self.config.share * doubt}

    def _made(
        self, image: Tensor, source: KeyPoints, driving: KeyPoints
    ) -> tuple[Motion, Decoded]:  # fmt: skip
        network = self.model.generator
        motion = network.dense_motion_network(image, source, driving, align_corners=True)
        moved = Moved(motion, source, driving)
        return motion, network.decode(image, network.encode(image), moved, align_corners=True)

    def _warped_losses(self, deformed: Tensor, batch: Batch) -> dict[str, Tensor]:
        truth, config = batch.frames["truth"], self.config
        face = weighted_loss(deformed, truth, _face_weight(batch))
        return {
            "warped": config.warped * pyramid_loss(deformed, truth),
            "warped face": config.warped * config.face * face,
        }

    def _exact_losses(self, motion: Motion, batch: Batch) -> dict[str, Tensor]:
        """How far the flow and the occlusion are from the exact ones, where those are known."""
        if batch.flow is None:
            return {}
        face = eye_and_mouth_weight(batch.landmarks["truth"], batch.flow.where.shape[1])
        off, hidden = exact_losses(motion, batch.flow, face)
        return {"exact": self.config.exact * off, "hidden": self.config.hidden * hidden}

    def _moved(self, batch: Batch) -> tuple[KeyPoints, KeyPoints, dict[str, Tensor]]:
        """The source's key points, where the motion takes them, and how well they were found."""
        roles, count = ("source", "initial", "driving"), self.config.batch
        found = self.model.kp_detector(torch.cat([batch.frames[role] for role in roles]))
        source, initial, driving = (found[i * count : (i + 1) * count] for i in range(3))
        losses = self._teach(found, [batch.landmarks[role] for role in roles])
        return source, relative_motion(source, initial, driving), losses

    @torch.no_grad()
    def _follow(self) -> None:
        # A young average follows fast, so that a short run's is not its random start.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        for own, fresh in pairs:
            own.lerp_(fresh, 1 - decay)
        for kept, now in zip(self.average.buffers(), self.model.buffers(), strict=True):
            kept.copy_(now)

    def finished(self) -> MotionModel:
        """The averaged model, in evaluation mode."""
        model = copy.deepcopy(self.average)
        return in_layout(model.to("cpu"), torch.contiguous_format).eval()

    def save(self, path: Path) -> None:
        """Everything needed to go on, written whole or not at all."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "curve": self.curve,
            "sums": self.sums,
            "of": self._named(),
        }
        torch.save(state, part)
        os.replace(part, path)

    def resume(self, path: Path) -> None:
        """Go on from a saved state of the same configuration."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise MotionError(
                f"{path} is no whole training state; delete it to start anew"
            ) from error
        if state.get("of") != self._named():
            raise MotionError(f"{path} is of another training; delete it to start anew")
        try:
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise MotionError(f"{path} is of another training; delete it to start anew") from error
        self.step, self.curve, self.sums = state["step"], state["curve"], state["sums"]

    def _named(self) -> str:
        """What must be the same for a training to go on: all but how often it is kept."""
        return repr((replace(self.config, save_every=0), self.seed))


def _face_weight(batch: Batch) -> Tensor:
    return eye_and_mouth_weight(batch.landmarks["truth"], batch.frames["truth"].shape[-1])


def in_layout(model: MotionModel, layout: torch.memory_format) -> MotionModel:
    """The model with its convolutions' weights laid out so, in place."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return model
