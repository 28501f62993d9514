"""A face's outer surface, asked by rays: where a thing that lies on it must lie."""

import numpy as np

_NEAR = 1e-9


class Surface:
    """Triangles of `vertices` (V, 3) under `quads` (F, 4), decimetres."""

    def __init__(self, vertices: np.ndarray, quads: np.ndarray) -> None:
        a, b, c, d = (vertices[quads[:, corner]] for corner in range(4))
        self._origin = np.concatenate([a, a])
        self._edges = np.concatenate([b - a, c - a]), np.concatenate([c - a, d - a])
        self._middle = self._origin + sum(self._edges) / 3
        corners = [self._origin + edge - self._middle for edge in (*self._edges, 0.0)]
        self._reach2 = np.max([(corner**2).sum(axis=1) for corner in corners], axis=0)

    def front(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(n, 3) foremost points above (x, y); NaN beside the face."""
        starts = np.stack([x, y, np.full_like(x, -3.0)], axis=1)
        return self.outermost(starts, np.broadcast_to([0.0, 0.0, 1.0], starts.shape))

    def outermost(self, starts: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(n, 3) last points where rays leave the surface (Moeller & Trumbore 1997); or NaN."""
        points = np.full((len(starts), 3), np.nan)
        for row, (start, along) in enumerate(zip(starts, directions, strict=True)):
            away = self._middle - start
            beside2 = np.einsum("ij,ij->i", away, away) - (away @ along) ** 2
            far = self._farthest(start, along, np.flatnonzero(beside2 <= self._reach2))
            points[row] = start + far * along
        return points

    def _farthest(self, start: np.ndarray, along: np.ndarray, near: np.ndarray) -> float:
        """How far along a ray its last hit of the triangles `near` lies; NaN without one."""
        first, second = (edge[near] for edge in self._edges)
        across = np.cross(along, second)
        size = np.einsum("ij,ij->i", first, across)
        size = np.where(np.abs(size) < _NEAR, np.inf, size)
        away = start - self._origin[near]
        u = np.einsum("ij,ij->i", away, across) / size
        turned = np.cross(away, first)
        v, t = turned @ along / size, np.einsum("ij,ij->i", second, turned) / size
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        return float(t[hit].max()) if hit.any() else np.nan
