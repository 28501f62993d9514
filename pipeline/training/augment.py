"""Light changes of training windows that leave the class as it is, or mirror it.

A window is moved and lit as a whole: between its frames only the face moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How far a window may be changed; shifts to brightness are drawn evenly from -x to x."""

    shift: float = 0.06  # of the crop's side, each way: what detectors disagree by
    zoom: float = 0.08  # of the size, as above
    roll: float = 6.0  # degrees: people do not hold their heads level
    contrast: float = 0.35  # natural logarithm of the factor about the window's mean
    brightness: float = 0.15  # of the grey range: skin and light vary more than expressions do
    noise: float = 0.02  # standard deviation of each pixel, of the grey range
    flip: float = 0.5  # share of the windows mirrored, where the mirror image is a class

    def scaled(self, share: float) -> "Augmentation":
        """Each amount times `share`; 0 leaves windows as they are."""
        return Augmentation(**{name: share * amount for name, amount in asdict(self).items()})


def mirror_table(labels: Sequence[str], mirror: Mapping[str, str]) -> Tensor:
    """(classes,) long: the index of each class when mirrored, -1 where that is no class."""
    index = {label: number for number, label in enumerate(labels)}
    return torch.tensor([index.get(mirror.get(label, ""), -1) for label in labels])


def augment(
    windows: Tensor,
    targets: Tensor,
    mirror: Tensor,
    amounts: Augmentation,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Changed copies of (N, T, C, S, S) windows in [0, 1] and their (N,) class indices.

    Windows are flipped only where their mirror image is a class (`mirror`, see `mirror_table`).
    """
    flip = (mirror[targets] >= 0) & (torch.rand(len(windows), generator=generator) < amounts.flip)
    targets = torch.where(flip, mirror[targets], targets)
    moved = _move(windows, flip, amounts, generator)
    return _light(moved, amounts, generator), targets


def _move(windows: Tensor, flip: Tensor, amounts: Augmentation, rng: torch.Generator) -> Tensor:
    count = len(windows)
    angle = torch.deg2rad(amounts.roll * _even(count, rng))
    scale = 1 + amounts.zoom * _even(count, rng)
    side = torch.where(flip, -1.0, 1.0)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    # Shares of the side; affine_grid counts from -1 to 1, so twice that.
    right, down = 2 * amounts.shift * _even(count, rng), 2 * amounts.shift * _even(count, rng)
    rows = torch.stack([side * cosine, -side * sine, right, sine, cosine, down], 1)
    grid = functional.affine_grid(
        rows.view(count, 2, 3), [count, 1, *windows.shape[-2:]], align_corners=False
    )
    flat = windows.flatten(1, 2)  # frames and channels move alike
    moved = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    return moved.view(windows.shape)


def _light(windows: Tensor, amounts: Augmentation, rng: torch.Generator) -> Tensor:
    # In place, on `_move`'s own copy: passes over memory are most of what this costs.
    shape = (len(windows), 1, 1, 1, 1)
    mean = windows.mean((1, 2, 3, 4), keepdim=True)
    contrast = torch.exp(amounts.contrast * _even(len(windows), rng)).view(shape)
    brightness = amounts.brightness * _even(len(windows), rng).view(shape)
    noise = torch.randn(windows.shape, generator=rng)
    windows.mul_(contrast).add_(mean * (1 - contrast) + brightness)
    return windows.add_(noise, alpha=amounts.noise).clamp_(0, 1)


def _even(count: int, rng: torch.Generator) -> Tensor:
    return 2 * torch.rand(count, generator=rng) - 1
