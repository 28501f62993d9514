"""Training triplets from rendered people who all perform the same motions.

Because every person performs every motion, the right answer to "A performs what B does" is a
frame that was rendered, not a guess: the original recipe had self-reconstruction only.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fomm.degrade import degraded, faults
from fomm.errors import MotionError
from fomm.exact import ExactFlow, Surfaces, exact_flow
from fomm.supervision import MIRRORED, to_unit

ROLES = ("source", "initial", "driving", "truth")


@dataclass(frozen=True)
class Performances:
    """`frames` (P people, M motions, T, S, S, 3) uint8 RGB; `landmarks` (P, M, T, 68, 2) px.

    `surfaces` of all P * M * T frames in their order, None for films without geometry: then
    pictures alone teach the flow.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    surfaces: Surfaces | None = None

    def __post_init__(self) -> None:
        if self.frames.ndim != 6 or self.frames.dtype != np.uint8 or min(self.frames.shape) < 1:
            raise MotionError(
                "training frames must be (people, motions, T, S, S, 3) uint8, "
                f"got {self.frames.shape} {self.frames.dtype}"
            )
        if self.landmarks.shape != (*self.frames.shape[:3], 68, 2):
            raise MotionError(
                f"landmarks must be {(*self.frames.shape[:3], 68, 2)}, got {self.landmarks.shape}"
            )
        if self.frames.shape[0] < 2 or self.frames.shape[2] < 2:
            raise MotionError("training needs at least two people and two frames a motion")
        count = int(np.prod(self.frames.shape[:3]))
        if self.surfaces is not None and len(self.surfaces.cells) != count:
            raise MotionError(f"{count} frames have surfaces of {len(self.surfaces.cells)}")

    @property
    def size(self) -> int:
        """Pixels a side."""
        return int(self.frames.shape[3])

    def people(self, which: slice) -> "Performances":
        """The performances of some of the people."""
        people, motions, length = self.frames.shape[:3]
        surfaces = self.surfaces
        if surfaces is not None:
            rows = np.arange(people * motions * length).reshape(people, -1)[which].ravel()
            own = {f.name: getattr(surfaces, f.name) for f in fields(Surfaces)}
            surfaces = Surfaces(**{n: a if n == "corners" else a[rows] for n, a in own.items()})
        return Performances(self.frames[which], self.landmarks[which], surfaces)


@dataclass(frozen=True)
class Batch:
    """By role of ROLES, `frames` (N, 3, S, S) in [0, 1] and `landmarks` (N, 68, 2) in [-1, 1].

    The source with the motion from `initial` to `driving` must look like `truth`. `flow` says where
    what the truth shows is in the source; None where no geometry is known.
    """

    frames: dict[str, Tensor]
    landmarks: dict[str, Tensor]
    flow: ExactFlow | None = None


@dataclass(frozen=True)
class Faults:
    """How often portraits have what renders lack (fomm.degrade); 0 for never."""

    colour_cast: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0


NO_FAULTS = Faults()


def draw_batch(
    data: Performances, size: int, cross: float, rng: np.random.Generator, augment: bool = True,
    worn: Faults = NO_FAULTS,
) -> Batch:  # fmt: skip
    """`size` random triplets; a share `cross` of them with another person driving.

    Cross-identity rows start at frame 0, as transfer does. In the others the source is its own
    driver, from any frame to any other.
    """
    rows = {role: np.stack(found) for role, found in _draw_rows(data, size, cross, rng).items()}
    frames, landmarks = {}, {}
    for role, row in rows.items():
        picked = data.frames[tuple(row.T)]
        frames[role] = torch.from_numpy(picked).permute(0, 3, 1, 2).float() / 255
        landmarks[role] = torch.from_numpy(to_unit(data.landmarks[tuple(row.T)], data.size))
    flow = None
    if data.surfaces is not None:
        target, source = (
            np.ravel_multi_index(tuple(rows[role].T), data.frames.shape[:3])
            for role in ("truth", "source")
        )
        flow = exact_flow(data.surfaces, target, source)
    batch = Batch(frames, landmarks, flow)
    return _worn(_augmented(batch, rng), worn, rng) if augment else batch


def _draw_rows(
    data: Performances, size: int, cross: float, rng: np.random.Generator
) -> dict[str, list[np.ndarray]]:
    people, motions, length = data.frames.shape[:3]
    rows: dict[str, list[np.ndarray]] = {role: [] for role in ROLES}
    for i in range(size):
        person, motion, time = rng.integers(people), rng.integers(motions), rng.integers(length)
        if i < round(cross * size):
            driver = (person + rng.integers(1, people)) % people
            start = 0
        else:
            driver = person
            start = rng.choice([0, rng.integers(length)])
        rows["source"].append(np.array([person, motion, start]))
        rows["initial"].append(np.array([driver, motion, start]))
        rows["driving"].append(np.array([driver, motion, time]))
        rows["truth"].append(np.array([person, motion, time]))
    return rows


def _augmented(batch: Batch, rng: np.random.Generator) -> Batch:
    """Photographs are lit, framed and mirrored in ways renders are not.

    Source and truth share every change, as do initial and driving; mirror and tilt are common to
    all four, since relative motion carries directions over.
    """
    count = len(batch.frames["source"])
    mirror, tilt = rng.random(count) < 0.5, rng.normal(0, 0.06, count)
    frames, landmarks, flow = {}, {}, batch.flow
    for pair in (("source", "truth"), ("initial", "driving")):
        place = _placement(count, tilt, rng)
        if "truth" in pair and flow is not None:
            flow = _placed_flow(_mirrored_flow(flow, mirror), place)
        light = _light(count, rng)
        for role in pair:
            image, points = _mirrored(batch.frames[role], batch.landmarks[role], mirror)
            image, landmarks[role] = _placed(image, points, place)
            frames[role] = _lit(image, light)
    return Batch(frames, landmarks, flow)


def _worn(batch: Batch, worn: Faults, rng: np.random.Generator) -> Batch:
    """As `_augmented`, what cameras and files do; drawn last, so that without it nothing moves."""
    frames = dict(batch.frames)
    for pair in (("source", "truth"), ("initial", "driving")):
        found = faults(len(frames["source"]), worn.colour_cast, worn.blur, worn.jpeg, rng)
        if found:
            frames |= {role: degraded(frames[role], found) for role in pair}
    return replace(batch, frames=frames)


def _mirrored(image: Tensor, points: Tensor, which: np.ndarray) -> tuple[Tensor, Tensor]:
    chosen = torch.from_numpy(which)
    flipped = points[:, torch.from_numpy(MIRRORED)] * torch.tensor([-1.0, 1.0])
    return (
        torch.where(chosen[:, None, None, None], image.flip(-1), image),
        torch.where(chosen[:, None, None], flipped, points),
    )


def _placement(count: int, tilt: np.ndarray, rng: np.random.Generator) -> Tensor:
    """(N, 2, 3) similarity transforms from the old face to the new one."""
    zoom, shift = np.exp(rng.normal(0, 0.08, count)), rng.normal(0, 0.05, (count, 2))
    cosine, sine = zoom * np.cos(tilt), zoom * np.sin(tilt)
    rows = np.stack([cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1]], axis=-1)
    return torch.from_numpy(rows.reshape(count, 2, 3)).float()


def _placed(image: Tensor, points: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    turn, shift = place[:, :, :2], place[:, :, 2:]
    back = torch.linalg.inv(turn)
    flow = F.affine_grid(torch.cat([back, -back @ shift], dim=-1), list(image.shape), True)
    moved = F.grid_sample(image, flow, padding_mode="border", align_corners=True)
    return moved, points @ turn.transpose(1, 2) + shift.transpose(1, 2)


def _mirrored_flow(flow: ExactFlow, which: np.ndarray) -> ExactFlow:
    chosen = torch.from_numpy(which)[:, None, None, None]
    where = torch.where(chosen, flow.where.flip(2) * torch.tensor([-1.0, 1.0]), flow.where)
    masks = {
        name: torch.where(chosen, getattr(flow, name).flip(3), getattr(flow, name))
        for name in ("visible", "person", "known")
    }
    return replace(flow, where=where, **masks)


def _placed_flow(flow: ExactFlow, place: Tensor) -> ExactFlow:
    """Source and truth are placed alike: the lattice is read elsewhere, its points move too.

    A cell between two kinds of cells is none of them: every mask must be whole there.
    """
    stack = torch.cat([flow.where.permute(0, 3, 1, 2), flow.visible, flow.person, flow.known], 1)
    turn, shift = place[:, :, :2], place[:, :, 2:]
    back = torch.linalg.inv(turn)
    grid = F.affine_grid(torch.cat([back, -back @ shift], dim=-1), list(stack.shape), True)
    read = F.grid_sample(stack, grid, padding_mode="zeros", align_corners=True)
    where = read[:, :2].flatten(2).transpose(1, 2) @ turn.transpose(1, 2) + shift.transpose(1, 2)
    visible, person, known = ((read[:, n : n + 1] > _WHOLE).float() for n in (2, 3, 4))
    mixed = (read[:, 3:4] > 1 - _WHOLE) & (person == 0)
    known = known * (~mixed).float()
    return ExactFlow(where.unflatten(1, stack.shape[2:]), visible * known, person, known)


_WHOLE = 0.999


def _light(count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Gain (N, 3, 1, 1) and gamma (N, 1, 1, 1) around 1."""
    gain = np.exp(rng.normal(0, 0.12, (count, 1, 1, 1)) + rng.normal(0, 0.06, (count, 3, 1, 1)))
    gamma = np.exp(rng.normal(0, 0.15, (count, 1, 1, 1)))
    return torch.from_numpy(gain).float(), torch.from_numpy(gamma).float()


def _lit(image: Tensor, light: tuple[Tensor, Tensor]) -> Tensor:
    gain, gamma = light
    return (gain * image.clamp_min(1e-4) ** gamma).clamp(0, 1)
