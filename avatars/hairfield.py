"""How far a point is from a person's skin: what hair lies on and does not pass through.

Signed distances on a grid of twelve millimetres, read by trilinear interpolation, so that a hundred
thousand points cost milliseconds. Ears are too thin for the grid: each counts as the ellipsoid
around its own vertices.
"""

import numpy as np
from scipy.spatial import cKDTree

# dm: how far the grid reaches beside the middle, over and below the crown, behind and before the
# head. Beyond it the nearest node speaks.
_SIDE, _OVER, _BELOW, _BEHIND, _BEFORE = 1.6, 0.6, 3.7, 0.8, 0.4
_SKULL = 1.2  # dm below the crown that hold the back of the head
_STEP = 0.12  # dm
_EAR_EASE = 1.1  # of the half extents of an ear along its axes


class Field:
    """Signed distance to the skin in decimetres, positive outside, and the way outwards."""

    def __init__(self, vertices: np.ndarray, quads: np.ndarray, ears: list[np.ndarray]) -> None:
        """`vertices` (V, 3) of a neutral face, skin `quads` (F, 4), `ears` vertex ids a side."""
        self._low, high = _room(vertices[np.unique(quads)])
        axes = [np.arange(a, b + _STEP / 2, _STEP) for a, b in zip(self._low, high, strict=True)]
        self._shape = np.array([len(axis) for axis in axes])
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        distance = _to_skin(nodes, vertices, quads)
        for ids in ears:
            distance = np.minimum(distance, _to_ellipsoid(nodes, vertices[ids]))
        volume = distance.reshape(self._shape)
        slopes = np.gradient(volume, _STEP)
        self._nodes = np.stack([volume, *slopes], axis=-1).reshape(-1, 4).astype(np.float32)

    def read(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distances (n,) in dm and unit vectors outwards (n, 3) at points (n, 3)."""
        place = np.clip((points - self._low) / _STEP, 0, self._shape - 1.001)
        cell = place.astype(np.int64)
        share = (place - cell).astype(np.float32)
        strides = np.array([self._shape[1] * self._shape[2], self._shape[2], 1])
        first = cell @ strides
        mixed = np.zeros((len(points), 4), np.float32)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, share, 1 - share), axis=1)
            mixed += weight[:, None] * self._nodes[first + np.dot(corner, strides)]
        length = np.linalg.norm(mixed[:, 1:], axis=1, keepdims=True) + 1e-9
        return mixed[:, 0], mixed[:, 1:] / length

    def push(self, points: np.ndarray, clearance: np.ndarray | float) -> np.ndarray:
        """`points` (n, 3) moved outwards until they are `clearance` dm off the skin."""
        distance, outwards = self.read(points)
        return np.asarray(points + np.maximum(clearance - distance, 0)[:, None] * outwards)


def _room(skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner (3,) of the grid around the head of `skin` (n, 3)."""
    top, front = skin[:, 1].max(), skin[:, 2].max()
    back = skin[skin[:, 1] > top - _SKULL, 2].min()
    return (
        np.array([-_SIDE, top - _BELOW, back - _BEHIND]),
        np.array([_SIDE, top + _OVER, front + _BEFORE]),
    )


def _to_skin(nodes: np.ndarray, vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(n,) distance of `nodes` to the planes of their nearest samples of the skin."""
    corners = vertices[quads]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    at_vertex = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(at_vertex, quads[:, corner], normal)
    at_vertex /= np.linalg.norm(at_vertex, axis=1, keepdims=True) + 1e-12
    shares = np.array([[4, 0, 0, 0], [1, 1, 1, 1], [2, 2, 0, 0], [2, 0, 0, 2]]) / 4
    samples = np.concatenate([np.tensordot(corners, s, axes=(1, 0)) for s in shares])
    normals = np.concatenate([np.tensordot(at_vertex[quads], s, axes=(1, 0)) for s in shares])
    _, nearest = cKDTree(samples).query(nodes, eps=0.2)  # far nodes need no exact neighbour
    away = nodes - samples[nearest]
    height = np.einsum("ij,ij->i", away, normals[nearest])
    far = np.linalg.norm(away, axis=1)
    # Near the skin the plane is exact, far from it the sample is.
    return np.where(far < 0.25, height, np.sign(height) * far)


def _to_ellipsoid(nodes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) roughly signed distance of `nodes` to the ellipsoid around `points` (m, 3)."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    radii = _EAR_EASE * np.abs((points - middle) @ axes.T).max(axis=0)
    inside = np.linalg.norm((nodes - middle) @ axes.T / radii, axis=1)
    return np.asarray((inside - 1) * radii.min())
