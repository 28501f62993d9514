"""Where hair may grow on the base mesh: roots drawn once a process, the same for every person.

A root is a triangle of the skin and a place in it, so it follows whatever shapes that skin. The
scalp is bounded by an analytic hairline over the azimuth around the skull; ears carry none.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import Delaunay

from avatars import basemesh
from avatars.assets import Assets
from avatars.basemesh import BaseMesh
from avatars.targets import Targets

_SEED = 68  # of the pool of roots: any number would do, another one grows other hair
_POOL = 24_000  # roots on the scalp before a person's hairline and density thin them
_AXIS = 0.57  # dm: z of the vertical axis through the skull that azimuths turn around
# The hairline of the base mesh, height in dm over the azimuth in degrees: forehead, temple,
# sideburn before the ear (66), above it (80-100), behind it, nape.
_AZIMUTH = (0, 18, 34, 46, 55, 60, 66, 72, 80, 100, 112, 124, 140, 180)
_HEIGHT = (7.91, 7.92, 7.89, 7.79, 7.6, 7.38, 7.22, 7.3, 7.46, 7.45, 7.2, 6.9, 6.7, 6.66)


@dataclass(frozen=True)
class Roots:
    """n places on the skin: vertex ids (n, 3) of triangles, shares (n, 3) of their corners.

    `places` (n, 3) are their positions on the base mesh, decimetres.
    """

    triangles: np.ndarray
    shares: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, kept: np.ndarray) -> "Roots":
        return Roots(self.triangles[kept], self.shares[kept], self.places[kept])

    def on(self, vertices: np.ndarray) -> np.ndarray:
        """(n, 3) positions on skin `vertices` (V, 3)."""
        return np.asarray(np.einsum("nc,nck->nk", self.shares, vertices[self.triangles]))

    def frames(self, vertices: np.ndarray) -> np.ndarray:
        """(n, 3, 3) rotations whose columns stand along, on and across each root's triangle."""
        a, b, c = np.moveaxis(vertices[self.triangles], 1, 0)
        along, outwards = b - a, np.cross(b - a, c - a)
        along = along / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-12)
        outwards = outwards / (np.linalg.norm(outwards, axis=1, keepdims=True) + 1e-12)
        return np.stack([along, outwards, np.cross(along, outwards)], axis=2)

    def mix(self, values: np.ndarray) -> np.ndarray:
        """(n, m) of values (V, m) of the base mesh's vertices."""
        return np.asarray(np.einsum("nc,ncm->nm", self.shares, values[self.triangles]))


def above_hairline(places: np.ndarray, recession: float) -> np.ndarray:
    """(n,) decimetres of `places` (n, 3) of the base mesh above the hairline, negative below.

    `recession` in [0, 1] lifts the forehead's hairline by up to 12 mm and the temples' by 30.
    """
    azimuth = np.degrees(np.arctan2(np.abs(places[:, 0]), places[:, 2] - _AXIS))
    line = np.interp(azimuth, _AZIMUTH, _HEIGHT)
    line += recession * np.interp(azimuth, (0, 12, 32, 48, 60), (0.12, 0.16, 0.30, 0.26, 0.0))
    return np.asarray(places[:, 1] - line)


@lru_cache(maxsize=2)
def scalp(assets: Assets) -> Roots:
    """Roots spread evenly over the widest scalp; read once a process."""
    base = basemesh.load(assets)
    triangles = skin_triangles(base)
    middle = base.mesh.vertices[triangles].mean(axis=1)
    bare = np.isin(triangles, np.concatenate(ears(assets))).any(axis=1)
    grows = ~bare & (above_hairline(middle, 0.0) > -0.15) & (middle[:, 1] > 6.4)
    roots = spread(base, triangles[grows], _POOL, np.random.default_rng(_SEED))
    return roots[above_hairline(roots.places, 0.0) > 0]


def skin_triangles(base: BaseMesh) -> np.ndarray:
    """(n, 3) vertex ids of the bust's triangles, those without area left out."""
    quads = base.mesh.quads[base.skin]
    halves = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return np.asarray(halves[halves[:, 1] != halves[:, 2]])


def spread(base: BaseMesh, triangles: np.ndarray, count: int, rng: np.random.Generator) -> Roots:
    """`count` roots spread evenly over the area of `triangles` (n, 3)."""
    corners = base.mesh.vertices[triangles]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    shares = rng.dirichlet([1.0, 1.0, 1.0], count)
    places = np.einsum("nc,nck->nk", shares, corners[chosen])
    return Roots(triangles[chosen], shares, places)


@lru_cache(maxsize=2)
def ears(assets: Assets) -> list[np.ndarray]:
    """Vertex ids of the left and the right ear: what the target that spreads an ear moves."""
    base, targets = basemesh.load(assets), Targets(assets.targets())
    skin = np.unique(base.mesh.quads[base.skin])
    found = []
    for side in "lr":
        ids, offsets = targets.get(f"ears/{side}-ear-wing-incr")
        length = np.linalg.norm(offsets, axis=1)
        found.append(np.intersect1d(ids[length > 0.05 * length.max()], skin))
    return found


def under(places: np.ndarray, ears: list[np.ndarray]) -> np.ndarray:
    """(n,) whether `places` (n, 3) lie below an ear, points (m, 3), seen from its side."""
    hidden = np.zeros(len(places), dtype=bool)
    for ear in ears:
        outline = Delaunay(ear[:, 1:])
        side = np.sign(places[:, 0]) == np.sign(ear[:, 0].mean())
        hidden |= side & (outline.find_simplex(places[:, 1:]) >= 0)
    return hidden
