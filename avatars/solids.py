"""Simple meshes as vertices, quads and corner uvs: tubes, ribbons, patches, discs, cushions."""

from typing import NamedTuple

import numpy as np


class Solid(NamedTuple):
    """`vertices` (n, 3) decimetres, `quads` (F, 4) and `uvs` (n, 2)."""

    vertices: np.ndarray
    quads: np.ndarray
    uvs: np.ndarray


def join(*solids: Solid) -> Solid:
    """All of them as one."""
    first = np.cumsum([0, *(len(s.vertices) for s in solids)])
    return Solid(
        np.concatenate([s.vertices for s in solids]),
        np.concatenate([s.quads + at for s, at in zip(solids, first, strict=False)]),
        np.concatenate([s.uvs for s in solids]),
    )


def sheet(points: np.ndarray, closed: bool = False) -> Solid:
    """A grid of points (rows, columns, 3); `closed` joins its last row to the first."""
    rows, columns = points.shape[:2]
    ids = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        ids = np.concatenate([ids, ids[:1]])
    quads = np.stack([ids[:-1, :-1], ids[1:, :-1], ids[1:, 1:], ids[:-1, 1:]], -1).reshape(-1, 4)
    u, v = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return Solid(points.reshape(-1, 3), quads, np.stack([u, v], -1).reshape(-1, 2))


def slab(points: np.ndarray, outwards: np.ndarray, thick: float, closed: bool = False) -> Solid:
    """A band with edges: a grid (rows, columns, 3), lifted by `thick` along `outwards`."""
    low, high = points[:, [0]], points[:, [-1]]
    lifted = points + thick * outwards
    return sheet(np.concatenate([low, lifted, high], axis=1), closed)


def curve(points: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """(count, 3) evenly along a Catmull-Rom curve through `points` (n, 3)."""
    if closed:
        knots = np.concatenate([points[-1:], points, points[:2]])
    else:
        knots = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, len(knots) - 3, 12 * len(knots))
    at = np.minimum(t.astype(int), len(knots) - 4)
    s = (t - at)[:, None]
    a, b, c, d = (knots[at + shift] for shift in range(4))
    fine = 0.5 * (2 * b + (c - a) * s + (2 * a - 5 * b + 4 * c - d) * s**2
                  + (3 * b - a - 3 * c + d) * s**3)  # fmt: skip
    reach = np.r_[0, np.linalg.norm(np.diff(fine, axis=0), axis=1).cumsum()]
    wanted = np.linspace(0, reach[-1], count, endpoint=not closed)
    return np.stack([np.interp(wanted, reach, column) for column in fine.T], axis=1)


def tube(path: np.ndarray, radius: float, closed: bool = False, flat: float = 1.0) -> Solid:
    """A pipe along `path` (n, 3); `flat` below 1 thins it front to back."""
    ahead, behind = np.roll(path, -1, axis=0), np.roll(path, 1, axis=0)
    if not closed:
        ahead[-1], behind[0] = path[-1], path[0]
    along = ahead - behind
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, _reference(along))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(side, along)
    turn = np.linspace(0, 2 * np.pi, 9)[None, :, None]
    rings = path[:, None] + radius * (np.cos(turn) * side[:, None] + np.sin(turn) * other[:, None])
    rings[..., 2] = path[:, None, 2] + flat * (rings[..., 2] - path[:, None, 2])
    return sheet(rings, closed)


def _reference(along: np.ndarray) -> np.ndarray:
    """(n, 3) a direction that no part of the path runs along, the same for all of it."""
    spread = np.abs(along).max(axis=0)
    return np.broadcast_to(np.eye(3)[int(spread.argmin())], along.shape)


def cushion(middle: np.ndarray, half: np.ndarray, dent: float) -> Solid:
    """A pillow around `middle` (3,) with `half` sizes (3,), pressed in at its front by `dent`."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 25)[:, None]
    b = np.linspace(0, 2 * np.pi, 65)[None]

    def power(values: np.ndarray, exponent: float) -> np.ndarray:
        return np.asarray(np.sign(values) * np.abs(values) ** exponent)

    flat, edge = power(np.cos(a), 0.6), 0.45
    x, y = flat * power(np.cos(b), edge), flat * power(np.sin(b), edge)
    z = np.broadcast_to(power(np.sin(a), 1.0), x.shape)
    shape = np.stack([x, y, z], -1)
    thin = np.clip(1.15 - 0.75 * (x**4 + y**4), 0.15, 1.0)  # thick in the middle, thin at seams
    shape[..., 2] *= thin
    fold = 0.05 * np.sin(7 * x + 5 * y) * np.cos(4 * y - 3 * x) * (z > 0)
    pressed = dent * np.exp(-2.5 * (x**2 + (y + 0.1) ** 2)) * (z > 0)
    points = middle + half * shape
    points[..., 2] += half[2] * fold - pressed
    return sheet(points.transpose(1, 0, 2))
