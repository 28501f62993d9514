"""The exact flow between frames of one person, read off what each frame shows of the mesh.

Rendered people have what photographs lack: it is known where each visible point of the face is in
every other frame, and whether it is hidden there. Pictures alone do not teach it: a head that
turns carries its shading along, so a flow that is pixels off costs a tenth of a dB.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fomm.errors import MotionError
from fomm.geometry import grid

BACKDROP, GROWN = -1, -2  # cells that are no triangle; lower ones are unknown
# m that a surface must be nearer than a point to hide it: the depth is the nearest pixel's, and a
# cheek seen at a slant falls off by millimetres from one to the next.
BEFORE = 0.006


@dataclass(frozen=True)
class Surfaces:
    """What F frames of S pixels a side show, all of people with one mesh of V vertices.

    `cells` (F, h, h) int32, triangles or BACKDROP, GROWN, unknown; `where` (F, h, h, 3) float32
    shares of the corners, or first the number of a track; `corners` (n, 3) int32; `screen`
    (F, V, 3) float32 homogeneous pixels; `tracks` (F, K, 3) float32 such pixels of points of hair,
    whose numbers hold within a clip; `depth` (F, S, S) float32 metres, inf for the backdrop.
    """

    cells: np.ndarray
    where: np.ndarray
    corners: np.ndarray
    screen: np.ndarray
    tracks: np.ndarray
    depth: np.ndarray

    def __post_init__(self) -> None:
        count, side = self.cells.shape[:2]
        wanted = {
            "cells": (count, side, side), "where": (count, side, side, 3),
            "corners": (len(self.corners), 3), "screen": (count, self.screen.shape[1], 3),
            "tracks": (count, self.tracks.shape[1], 3), "depth": (count, self.size, self.size),
        }  # fmt: skip
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise MotionError(
                    f"surface {name} must be {shape}, got {getattr(self, name).shape}"
                )

    @property
    def size(self) -> int:
        """Pixels a side."""
        return int(self.depth.shape[1])


@dataclass(frozen=True)
class ExactFlow:
    """Where each cell of N frames is in N others: `where` (N, h, h, 2) in [-1, 1].

    `visible` (N, 1, h, h) is 1 where it is seen there too; `person` where somebody is; `known`
    where both are known at all.
    """

    where: Tensor
    visible: Tensor
    person: Tensor
    known: Tensor


def exact_flow(surfaces: Surfaces, target: np.ndarray, source: np.ndarray) -> ExactFlow:
    """The flow from frames `target` (N,) back to frames `source` (N,), pair by pair.

    Both frames of a pair are of one clip: the backdrop stands still.
    """
    size, count = surfaces.size, len(target)
    cells = torch.from_numpy(surfaces.cells[target]).flatten(1).long()
    where = torch.from_numpy(surfaces.where[target]).flatten(1, 2)
    skin = _of_triangles(surfaces, cells, where, source)
    side = surfaces.cells.shape[1]
    still = (grid(side, side, where).flatten(0, 1) + 1) / 2 * (size - 1) + 0.5
    away, pixels = skin[..., 2], _pixels(skin)
    grown, backdrop = cells == GROWN, cells == BACKDROP
    if surfaces.tracks.shape[1]:
        numbers = torch.where(grown, where[..., 0], torch.zeros(())).long()
        here, there = (_tracked(surfaces, frames, numbers) for frames in (target, source))
        # A strand runs beside the cell's centre, not through it.
        moved = still + _pixels(there) - _pixels(here)
        pixels = torch.where(grown[..., None], moved, pixels)
        away = torch.where(grown, there[..., 2], away)
    pixels = torch.where(backdrop[..., None], still, pixels)
    behind = _depth_at(surfaces, source, pixels)
    inside = ((pixels >= 0) & (pixels < size)).all(-1)
    clear = torch.where(backdrop, behind.isinf(), behind > away - BEFORE)
    known = cells >= GROWN
    flat = (count, 1, side, side)
    return ExactFlow(
        (2 * (pixels - 0.5) / (size - 1) - 1).reshape(count, side, side, 2),
        (inside & clear & known).float().reshape(flat),
        (known & ~backdrop).float().reshape(flat),
        known.float().reshape(flat),
    )


def _of_triangles(
    surfaces: Surfaces, cells: Tensor, shares: Tensor, source: np.ndarray
) -> Tensor:  # fmt: skip
    """(N, C, 3) homogeneous pixels in the source frames of the cells' points of triangles."""
    corners = torch.from_numpy(surfaces.corners).long()[cells.clamp_min(0)]
    screen = torch.from_numpy(surfaces.screen[source])
    rows = torch.arange(len(screen))[:, None, None]
    return torch.einsum("ncv,ncvk->nck", shares, screen[rows, corners])


def _tracked(surfaces: Surfaces, frames: np.ndarray, numbers: Tensor) -> Tensor:
    tracks = torch.from_numpy(surfaces.tracks[frames])
    return tracks.gather(1, numbers[..., None].expand(-1, -1, 3))


def _pixels(homogeneous: Tensor) -> Tensor:
    return homogeneous[..., :2] / homogeneous[..., 2:].clamp_min(1e-6)


def _depth_at(surfaces: Surfaces, source: np.ndarray, pixels: Tensor) -> Tensor:
    """(N, C) metres of the surface that the source frames show at pixels (N, C, 2)."""
    depth = torch.from_numpy(surfaces.depth[source])
    column, row = pixels.floor().long().clamp(0, surfaces.size - 1).unbind(-1)
    return depth[torch.arange(len(depth))[:, None], row, column]
