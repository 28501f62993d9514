"""The 68 iBUG landmarks on the hm08 mesh, their projection and what is measured from them."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

_FILE = Path(__file__).parent / "landmarks68_hm08.json"
COUNT = 68
# Vertex pairs on the upper and lower lid margins near the middle of each eye: they meet when
# the eye closes, which the landmarks of the lower lash line do not quite.
_LIDS = {"left": ((6785, 6828), (6784, 6825)), "right": ((1, 44), (0, 41))}
_LIPS = (62, 66)  # iBUG numbers of the inner lips at the midline
_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]  # the inner lips, right to left


@lru_cache(maxsize=1)
def _anchors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) vertices of all landmarks, one after the other; (68,) first of each; (68,) how many."""
    rows = [np.asarray(ids) for ids in json.loads(_FILE.read_text())]
    counts = np.array([len(row) for row in rows])
    return np.concatenate(rows), np.cumsum(counts) - counts, counts


def anchors() -> np.ndarray:
    """(n,) vertices of the base mesh that the landmarks are read from."""
    return _anchors()[0]


def locate(vertices: np.ndarray) -> np.ndarray:
    """(68, 3) landmark positions on the base-mesh `vertices` (V, 3), in their unit."""
    ids, first, counts = _anchors()
    return np.asarray(np.add.reduceat(vertices[ids], first, axis=0) / counts[:, None])


def project(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(n, 2) pixels (origin top left) of points (n, 3) under a (3, 4) projection matrix."""
    homogeneous = np.c_[points, np.ones(len(points))] @ camera.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def facing(vertices: np.ndarray, quads: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(68,) whether the skin at each landmark faces a camera at `eye` (3,).

    A test of surface direction: a point behind the nose or the turned-away cheek fails it,
    hair in front of a point does not count.
    """
    ids, first, _ = _anchors()
    anchor = np.zeros(len(vertices), dtype=bool)
    anchor[ids] = True
    quads = quads[anchor[quads].any(axis=1)]  # the others' normals nobody asks for
    corners = vertices[quads]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    at_vertex = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(at_vertex, quads[:, corner], normals)
    directions = np.add.reduceat(at_vertex[ids], first, axis=0)
    return np.asarray(np.einsum("ij,ij->i", directions, eye - locate(vertices)) > 0)


def apertures(vertices: np.ndarray) -> np.ndarray:
    """(2,) height of the left and right eye opening on straight vertices (V, 3), 0 when shut.

    Measured upright: lids that overlap, as a firmly shut eye's do, are no opening.
    """
    return np.asarray(np.clip(lid_heights(vertices), 0.0, None))


def lid_heights(vertices: np.ndarray) -> np.ndarray:
    """(2,) height of the upper above the lower lid, left and right; < 0 where lids overlap.

    Linear in the vertices, so it also tells how offsets (V, 3) change the heights.
    """
    return np.array([
        np.mean([vertices[upper, 1] - vertices[lower, 1] for upper, lower in _LIDS[side]])
        for side in ("left", "right")
    ])  # fmt: skip


def lip_gaps(vertices: np.ndarray) -> np.ndarray:
    """(3,) height of upper above lower inner lip on upright vertices (V, 3); < 0 where they cross.

    Linear in the vertices, so it also tells how offsets (V, 3) change the gaps.
    """
    points = locate(vertices)
    return np.asarray(points[_UPPER, 1] - points[_LOWER, 1])


def mouth_opening(points: np.ndarray) -> float:
    """Distance of the inner lips at the midline, in the unit of `points`."""
    return float(np.linalg.norm(points[_LIPS[0]] - points[_LIPS[1]]))
