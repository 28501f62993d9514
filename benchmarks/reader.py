"""Landmarks read from frames by a network of their own, so that no model judges itself.

A small network finds the whole face; two more look at each eye and the mouth at full resolution,
where lids and lips are a few pixels apart. It is trained on renders whose landmarks are exact,
blurred and lit at random, so that a softer transferred frame reads no worse.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 64  # px that the first network sees; crops of the other two are as large
EYES = (slice(36, 42), slice(42, 48))
LEFT_AS_RIGHT = [45, 44, 43, 42, 47, 46]  # a mirrored left eye, in the order of a right one
MOUTH = slice(48, 68)
REACH = {"eye": 0.75, "mouth": 1.1}  # half a crop's side by the distance of the eyes
EPOCHS, BATCH, RATE = 30, 64, 2e-3


class Points(nn.Module):
    """(N, 1, 64, 64) > (N, P, 2) in [-1, 1] of the crop."""

    def __init__(self, points: int):
        super().__init__()
        widths = [1, 16, 32, 48, 64]
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(widths):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 16, 128), nn.ReLU())
        self.head = nn.Linear(128, 2 * points)

    def forward(self, crops: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(crops)).unflatten(-1, (-1, 2))
        return out


@dataclass
class Reader:
    """The three networks: `face` (68 points), `eye` (6, right or mirrored left), `mouth` (20)."""

    face: Points
    eye: Points
    mouth: Points

    @torch.inference_mode()
    def landmarks(self, frames: np.ndarray) -> np.ndarray:
        """(T, S, S, 3) uint8 > (T, 68, 2) iBUG landmarks, px."""
        grey = _grey(frames)
        size = grey.shape[-1]
        coarse = (self.face(_shrunk(grey)) + 1) / 2 * size
        found = coarse.clone()
        for windows, net, rows, mirror in _parts(coarse, self):
            points = net(_cut(grey, windows, mirror))
            found[:, rows] = _back(points, windows, mirror)
        return found.numpy().astype(np.float64)


def train_reader(
    frames: np.ndarray, landmarks: np.ndarray, seed: int, epochs: int = EPOCHS
) -> Reader:
    """From (N, S, S, 3) uint8 frames and their (N, 68, 2) px landmarks; CPU minutes."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    grey, truth = _grey(frames), torch.from_numpy(landmarks).float()
    reader = Reader(Points(68), Points(6), Points(20))
    _fit(reader.face, lambda rows: _whole(grey[rows], truth[rows], rng), len(grey), rng, epochs)
    _fit(reader.eye, lambda rows: _eyes(grey[rows], truth[rows], rng), len(grey), rng, epochs)
    _fit(reader.mouth, lambda rows: _mouths(grey[rows], truth[rows], rng), len(grey), rng, epochs)
    return reader


def _fit(net: Points, draw: Any, count: int, rng: torch.Generator, epochs: int) -> None:
    steps = epochs * -(-count // BATCH)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    net.train()
    for _ in range(steps):
        crops, target = draw(torch.randint(count, (BATCH,), generator=rng))
        loss = F.smooth_l1_loss(net(_varied(crops, rng)), target, beta=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net.eval()


def _whole(grey: Tensor, truth: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Faces moved and scaled a little, as other framings would."""
    size = grey.shape[-1]
    centre = torch.full((len(grey), 2), size / 2) + torch.randn(len(grey), 2, generator=rng) * 4
    half = size / 2 * torch.exp(0.06 * torch.randn(len(grey), generator=rng))
    windows = torch.cat([centre, half[:, None]], dim=1)
    return _cut(grey, windows, False), _into(truth, windows, False)


def _eyes(grey: Tensor, truth: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Both eyes of every face, the left mirrored; the crops miss as the first network does."""
    crops, targets = [], []
    for rows, mirror in zip(EYES, (False, True), strict=True):
        windows = _jittered(_window(truth, rows, "eye"), rng)
        crops.append(_cut(grey, windows, mirror))
        targets.append(_into(truth[:, rows], windows, mirror))
    return torch.cat(crops), torch.cat(targets)


def _mouths(grey: Tensor, truth: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    windows = _jittered(_window(truth, MOUTH, "mouth"), rng)
    return _cut(grey, windows, False), _into(truth[:, MOUTH], windows, False)


def _parts(coarse: Tensor, reader: Reader) -> list[tuple[Tensor, Points, slice, bool]]:
    eyes = [
        (_window(coarse, rows, "eye"), reader.eye, rows, mirror)
        for rows, mirror in zip(EYES, (False, True), strict=True)
    ]
    return [*eyes, (_window(coarse, MOUTH, "mouth"), reader.mouth, MOUTH, False)]


def _window(landmarks: Tensor, rows: slice, part: str) -> Tensor:
    """(N, 3): centre x, y and half side, px, of the part in (N, 68, 2) landmarks."""
    eyes = [landmarks[:, rows_].mean(1) for rows_ in EYES]
    apart = (eyes[1] - eyes[0]).norm(dim=-1, keepdim=True)
    return torch.cat([landmarks[:, rows].mean(1), REACH[part] * apart.clamp_min(4)], dim=1)


def _jittered(windows: Tensor, rng: torch.Generator) -> Tensor:
    noise = torch.randn(len(windows), 3, generator=rng)
    centre = windows[:, :2] + 0.08 * windows[:, 2:] * noise[:, :2]
    return torch.cat([centre, windows[:, 2:] * torch.exp(0.08 * noise[:, 2:])], dim=1)


def _cut(grey: Tensor, windows: Tensor, mirror: bool) -> Tensor:
    """(N, 1, 64, 64) crops of (N, 1, S, S) pictures; px 0.5 is the first pixel's centre."""
    size, sign = grey.shape[-1], -1.0 if mirror else 1.0
    line = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    offset = torch.stack([sign * x, y], dim=-1)[None] * windows[:, None, None, 2:]
    where = (windows[:, None, None, :2] + offset) / size * 2 - 1
    return F.grid_sample(grey, where, padding_mode="border", align_corners=False)


def _into(points: Tensor, windows: Tensor, mirror: bool) -> Tensor:
    local = (points - windows[:, None, :2]) / windows[:, None, 2:]
    if not mirror:
        return local
    order = torch.tensor(LEFT_AS_RIGHT) - EYES[1].start
    return local[:, order] * torch.tensor([-1.0, 1.0])


def _back(local: Tensor, windows: Tensor, mirror: bool) -> Tensor:
    if mirror:
        order = torch.tensor(LEFT_AS_RIGHT) - EYES[1].start  # its own inverse
        local = local[:, order] * torch.tensor([-1.0, 1.0])
    return local * windows[:, None, 2:] + windows[:, None, :2]


def _varied(crops: Tensor, rng: torch.Generator) -> Tensor:
    """Light, noise and, for half of the pictures, blur."""
    shape = (len(crops), 1, 1, 1)
    gain = torch.exp(0.2 * torch.randn(shape, generator=rng))
    shift = 0.08 * torch.randn(shape, generator=rng)
    soft = F.avg_pool2d(F.pad(crops, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = (torch.rand(shape, generator=rng) * 2 - 1).clamp_min(0)
    mixed = crops + share * (soft - crops)
    return mixed * gain + shift + 0.02 * torch.randn(crops.shape, generator=rng)


def _grey(frames: np.ndarray) -> Tensor:
    """(N, 1, S, S) in about [-1, 1]."""
    return torch.from_numpy(frames).float().mean(-1)[:, None] / 127.5 - 1


def _shrunk(grey: Tensor) -> Tensor:
    size = grey.shape[-1]
    windows = torch.tensor([[size / 2, size / 2, size / 2]]).expand(len(grey), 3)
    return _cut(grey, windows, False)
