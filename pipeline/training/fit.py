"""The optimisation loop: Adam with a cosine decay, the epoch chosen on a validation part.

One thread and deterministic kernels: sums taken in another order would give other weights. A
training killed after an epoch goes on from it and ends with the weights it would have had.
"""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models import to_tensor
from pipeline.errors import StageError
from pipeline.params import TrainParams
from pipeline.precision import processor_precision
from pipeline.splits.windows import Windows
from pipeline.training import resume
from pipeline.training.augment import Augmentation, augment

WARMUP = 0.1  # share of the steps with a rising rate: recurrent states blow up at full rate
CLIP = 1.0  # largest norm of a gradient, for the same reason
AUGMENTATION = Augmentation()
CALM = 0.5  # share of the epochs, the last, over which windows become what they are


@dataclass(frozen=True)
class Part:
    """Windows as `cut_windows` gives them, uint8, and their (N,) class indices."""

    windows: np.ndarray | Windows
    targets: np.ndarray


@dataclass(frozen=True)
class Lesson:
    """What a network learns from, what its epoch is chosen by, and the `mirror_table`."""

    train: Part
    validation: Part
    mirror: Tensor


@dataclass(frozen=True)
class Epoch:
    """Mean losses in nats and accuracies of one epoch; `loss` is over augmented windows."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@contextmanager
def repeatable(seed: int) -> Iterator[torch.Generator]:
    """One thread, deterministic kernels and seeded initial weights and dropout, then all as before.

    The generator yielded is for draws that are made outside of networks.
    """
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        try:
            yield torch.Generator().manual_seed(seed)
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)


def fit(
    network: nn.Module,
    lesson: Lesson,
    params: TrainParams,
    generator: torch.Generator,
    report: Callable[[Epoch], None],
    state: Path | None = None,
) -> list[Epoch]:
    """Train in place and keep the weights of the best epoch; the curve, one row an epoch.

    Best is the highest validation accuracy, then the lowest loss; after `params.patience` epochs
    that were no better the training ends. A network that names no class better than by its rate
    has not begun to learn, and is waited for. `state` is the file that a killed training goes on
    from; its caller removes it. Run it inside `repeatable`. Raises StageError where `params.device`
    is cuda and there is none.
    """
    fitter = _Fitter(network.to(find_device(params.device)), lesson, params, generator)
    parts = fitter.parts()
    done = resume.load(state, parts, generator)
    curve = [Epoch(**row) for row in done.get("curve", [])]
    kept = done.get("kept", {})
    while not _ended(curve, params, lesson.train.targets):
        number = len(curve) + 1
        told = (*fitter.epoch(number), *judge(network, lesson.validation))
        curve.append(Epoch(number, *(round(x, 6) for x in told)))
        if best_epoch(curve) is curve[-1]:
            kept = copy.deepcopy(network.state_dict())
        resume.save(state, parts, generator, {"curve": rows(curve), "kept": kept})
        report(curve[-1])
    network.load_state_dict(kept)
    network.to("cpu")
    return curve


class _Fitter:
    """One training: the network, what it learns from, and the state of its optimisation."""

    def __init__(
        self, network: nn.Module, lesson: Lesson, params: TrainParams, generator: torch.Generator
    ) -> None:
        self.network, self.lesson, self.params = network, lesson, params
        self.generator = generator
        self.device = _device_of(network)
        self.weights = None
        if params.class_weights:
            weights = class_weights(lesson.train.targets, len(lesson.mirror))
            self.weights = weights.to(self.device)
        steps = math.ceil(len(lesson.train.targets) / params.batch) * params.epochs
        self.optimiser = torch.optim.Adam(network.parameters(), lr=params.learning_rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: _rate(step, steps)
        )

    def parts(self) -> dict[str, resume.Stateful]:
        """Everything that a killed training goes on from, but the generators."""
        return {"network": self.network, "optimiser": self.optimiser, "schedule": self.schedule}

    def epoch(self, number: int) -> tuple[float, float]:
        """One pass over the training part, changed less and less: mean loss and accuracy."""
        self.network.train()
        train = self.lesson.train
        changes = AUGMENTATION.scaled(_liveliness(number, self.params.epochs))
        loss_sum, right = 0.0, 0
        order = torch.randperm(len(train.targets), generator=self.generator)
        for chosen in order.split(self.params.batch):
            windows, targets = augment(
                to_tensor(train.windows[chosen.numpy()]),
                torch.from_numpy(train.targets[chosen.numpy()]),
                self.lesson.mirror, changes, self.generator,
            )  # fmt: skip
            # Drawn and changed on the processor, so every device is taught the same pictures.
            targets = targets.to(self.device)
            loss, logits = self._step(windows.to(self.device), targets)
            loss_sum += loss * len(targets)
            right += int((logits.argmax(1) == targets).sum())
        return loss_sum / len(train.targets), right / len(train.targets)

    def _step(self, windows: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        dtype = processor_precision()[0] if self.device.type == "cpu" else torch.float32
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            logits = self.network(windows).float()
        loss = functional.cross_entropy(logits, targets, weight=self.weights)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        self.schedule.step()
        return float(loss.detach()), logits


def find_device(name: str) -> torch.device:
    """The device `train.device` names; StageError where this machine lacks it."""
    if name == "cuda" and not torch.cuda.is_available():
        raise StageError(
            "train.device is cuda, but torch finds no GPU on this machine; set it to cpu"
        )
    return torch.device(name)


def class_weights(targets: np.ndarray, classes: int) -> Tensor:
    """(classes,) float32: the mean number of windows a class over that of each class."""
    weights = len(targets) / (classes * np.bincount(targets, minlength=classes))
    return torch.from_numpy(weights).float()


def chance_level(targets: np.ndarray) -> float:
    """Accuracy from which a network does more than name the largest class of (N,) `targets`.

    Three standard errors above that class's share: one training in a thousand gets there by luck.
    """
    share = float(np.bincount(targets).max()) / len(targets)
    return min(1.0, share + 3 * math.sqrt(share * (1 - share) / len(targets)))


def best_epoch(curve: list[Epoch]) -> Epoch:
    """The epoch whose weights `fit` keeps."""
    return max(curve, key=lambda row: (row.validation_accuracy, -row.validation_loss))


def rows(curve: list[Epoch]) -> list[dict[str, float]]:
    """The curve as plain JSON values."""
    return [asdict(row) for row in curve]


def judge(network: nn.Module, part: Part, batch: int = 64) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy over a part, without augmentation or dropout."""
    network.eval()
    device = _device_of(network)
    loss, right = 0.0, 0
    with torch.inference_mode():
        for start in range(0, len(part.targets), batch):
            targets = torch.from_numpy(part.targets[start : start + batch]).to(device)
            logits = network(to_tensor(part.windows[start : start + batch]).to(device))
            loss += float(functional.cross_entropy(logits, targets, reduction="sum"))
            right += int((logits.argmax(1) == targets).sum())
    return loss / len(part.targets), right / len(part.targets)


def _ended(curve: list[Epoch], params: TrainParams, targets: np.ndarray) -> bool:
    # Networks stand at chance for ten to twenty epochs before they learn: the wait is no failure.
    level = chance_level(targets)
    began = next((row.epoch for row in curve if row.accuracy >= level), len(curve))
    idle = len(curve) - max(best_epoch(curve).epoch, began) if curve else 0
    return len(curve) >= params.epochs or idle >= params.patience


def _device_of(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def _liveliness(number: int, epochs: int) -> float:
    # Share of the augmentation in an epoch, from 1: all of it, then down to none in the last one.
    return min(1.0, (epochs - number) / (CALM * epochs))


def _rate(step: int, steps: int) -> float:
    warm = max(1, round(WARMUP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
