"""What frames show as points of the mesh: the flow between any two of a clip follows by a product.

For training: a pair drawn later needs no geometry of its own. A cell of the lattice is a point of
a triangle, or a point on a strand of hair; where every frame of the clip has the corners of that
triangle, or that point, is in the file, so `fomm.exact` reads the exact flow off.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avatars import raster
from avatars.raster import NOTHING, Shot, View
from avatars.strands import Strands

SHARED = ("skin", "eyes", "teeth", "tongue")  # parts of one mesh in all people
HAIR = "hair"  # strands that are tracked; brows, lashes and beard go with the skin below them
COARSE = 2  # pixels of a picture to a cell: the motion network's own resolution
BACKDROP, GROWN, UNKNOWN = -1, -2, -3  # cells that are no triangle

Arrays = dict[str, np.ndarray]


class _Cells(NamedTuple):
    """A frame's lattice, row by row: `kind` and `where` as in `record`, `grown` the points seen
    on strands: number of the strands, its two ends' joints, and the share of the second."""

    kind: np.ndarray
    where: np.ndarray
    grown: np.ndarray


def record(shots: Sequence[Shot]) -> Arrays:
    """The arrays of a clip of T frames of S pixels a side, with h = S / COARSE cells a side.

    `surface_cells` (T, h, h) int32 triangles, or BACKDROP, GROWN, UNKNOWN; `surface_where`
    (T, h, h, 3) float32 shares of its corners, or first the number of a track; `surface_corners`
    (n, 3) int32; `surface_screen` (T, V, 3) float32 vertices as homogeneous pixels (x w, y w, w),
    w metres along the axis; `surface_tracks` (T, K, 3) float32 such pixels of the points on
    strands; `surface_depth` (T, S, S) float32 metres, inf where nobody is.
    """
    corners, vertices = _merged(shots[0].view)
    cells = [_cells(shot.view) for shot in shots]
    side = shots[0].view.size // COARSE
    before = 0
    for cell in cells:
        cell.where[cell.kind == GROWN, 0] = before + np.arange(len(cell.grown))
        before += len(cell.grown)
    grown = np.concatenate([cell.grown for cell in cells])
    return {
        "surface_cells": np.stack([cell.kind.reshape(side, side) for cell in cells]),
        "surface_where": np.stack([cell.where.reshape(side, side, 3) for cell in cells]),
        "surface_corners": corners,
        "surface_screen": np.stack([_screen(shot.view, vertices) for shot in shots]),
        "surface_tracks": np.stack([_tracks(shot.view, grown) for shot in shots]),
        "surface_depth": np.stack([_depth(shot) for shot in shots]),
    }


def _merged(view: View) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The triangles of the shared parts as rows of one list of vertices, and those it takes."""
    corners, vertices, before = [], {}, 0
    for part in view.parts:
        if part.name in SHARED:
            own = raster.triangles(part)
            vertices[part.name] = np.unique(own)
            corners.append(np.searchsorted(vertices[part.name], own) + before)
            before += len(vertices[part.name])
    return np.concatenate(corners).astype(np.int32), vertices


def _cells(view: View) -> _Cells:
    kept = _hair(view)
    side = view.size // COARSE
    shot = raster.shoot(view._replace(camera=_lattice(view), size=side, strands=kept))
    kind = np.full(side**2, UNKNOWN, np.int32)
    kind[shot.part == NOTHING] = BACKDROP
    before = 0
    for number, part in enumerate(view.parts):
        if part.name in SHARED:
            seen = shot.part == number
            kind[seen] = before + shot.triangle[seen]
            before += len(raster.triangles(part))
    seen = np.flatnonzero(shot.part >= len(view.parts))
    kind[seen] = GROWN
    grown = np.zeros((len(seen), 4))
    for number in range(len(kept)):
        own = shot.part[seen] == len(view.parts) + number
        ends, _ = raster.corners(shot.view, len(view.parts) + number)
        joints = ends[shot.triangle[seen[own]], :2]
        grown[own] = np.c_[np.full(len(joints), number), joints, shot.shares[seen[own], 1]]
    return _Cells(kind, shot.shares.astype(np.float32), grown)


def _hair(view: View) -> tuple[Strands, ...]:
    return tuple(grown for grown in view.strands if grown.name == HAIR)


def _lattice(view: View) -> np.ndarray:
    """The projection whose pixel centres are the motion network's grid: both have their first and
    last centre where the picture has its own."""
    side = view.size // COARSE
    scale = (side - 1) / (view.size - 1)
    shift = 0.5 - 0.5 * scale
    return np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1.0]]) @ view.camera


def _screen(view: View, vertices: dict[str, np.ndarray]) -> np.ndarray:
    return _homogeneous(
        np.concatenate([view.vertices[name][ids] for name, ids in vertices.items()]), view
    )


def _tracks(view: View, grown: np.ndarray) -> np.ndarray:
    """Where a frame has points on strands, given as in `_Cells.grown`."""
    found = np.zeros((len(grown), 3))
    for number, strands in enumerate(_hair(view)):
        own = grown[:, 0] == number
        points = strands.points.reshape(-1, 3)
        near, far = (points[grown[own, column].astype(int)] for column in (1, 2))
        found[own] = near + grown[own, 3:] * (far - near)
    return _homogeneous(found, view)


def _homogeneous(points: np.ndarray, view: View) -> np.ndarray:
    return np.asarray(points @ view.camera[:, :3].T + view.camera[:, 3], np.float32)


def _depth(shot: Shot) -> np.ndarray:
    return shot.depth.reshape(shot.view.size, shot.view.size).astype(np.float32)
