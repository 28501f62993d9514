"""Brows and beards: strands rooted on the front of the face, in the chart of the creases.

Roots lie between an upper and a lower line over the chart, millimetres across and down from the
nose bridge (`avatars.creases.chart`). A strand leaves along directions of that chart, so it lies
on every face as it lies on the base head.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from avatars import basemesh, creases
from avatars.assets import Assets
from avatars.basemesh import BaseMesh
from avatars.errors import AvatarError
from avatars.hairroots import Roots, skin_triangles, spread
from avatars.hairstyles import nearest
from avatars.identity import Identity

_SEED = 17  # of the pools of roots
_FACE = 60_000  # roots on the face before lines and density thin them
Line = tuple[tuple[float, ...], tuple[float, ...]]  # mm across, mm down


class Patch(NamedTuple):
    """Hair between two lines of one half of the face, mirrored onto the other.

    `strands` of `length` dm; the way they go in shares of the chart: `across` outwards, `down`,
    and `lift` off the skin; `radius` in mm.
    """

    top: Line
    bottom: Line
    strands: int
    length: float
    across: float
    down: float
    lift: float
    radius: float


_MOUSTACHE_TOP: Line = ((0, 4, 9, 16, 24, 30, 34), (48, 45.5, 45.5, 50, 57, 64, 71))
_MOUSTACHE_LOW: Line = ((0, 6, 14, 20, 25, 30, 34), (52, 51, 55, 60, 66.5, 71, 71))
_LIP_TOP: Line = ((0, 6, 14, 20, 25, 25.1), (52, 51, 55, 60, 66.5, 200))
_LIP_LOW: Line = ((0, 12, 20, 25, 25.1), (81, 79, 74, 67, -200))
_CHEEK: Line = (
    (0, 9, 16, 24, 34, 46, 60, 74, 84, 90, 96), (48, 45.5, 50, 56, 62, 61, 54, 40, 22, 0, -12)
)  # fmt: skip
_JAW: Line = ((0, 96), (150, 150))
_CHIN_TOP: Line = ((0, 5, 8, 20, 25, 30, 34), (83, 83, 92, 88, 70, 66, 74))
_CHIN_LOW: Line = ((0, 12, 22, 30, 34), (130, 128, 116, 92, 74))

BEARDS: dict[str, tuple[Patch, ...]] = {
    "none": (),
    "stubble": (Patch(_CHEEK, _JAW, 2200, 0.02, 0.1, 0.8, 0.6, 0.1),),
    "moustache": (Patch(_MOUSTACHE_TOP, _MOUSTACHE_LOW, 1100, 0.085, 0.9, 0.55, 0.35, 0.13),),
    "goatee": (
        Patch(_MOUSTACHE_TOP, _MOUSTACHE_LOW, 900, 0.08, 0.8, 0.6, 0.35, 0.13),
        Patch(_CHIN_TOP, _CHIN_LOW, 1500, 0.11, 0.05, 0.8, 0.5, 0.13),
    ),
    "full": (Patch(_CHEEK, _JAW, 3800, 0.12, 0.15, 0.8, 0.5, 0.17),),
}
# What a beard leaves on the skin between its strands.
_SHADES = {"none": 0.0, "stubble": 0.28, "moustache": 0.3, "goatee": 0.35, "full": 0.45}
# Along a brow, from its head beside the nose to its tail: mm across, mm down of its middle line,
# mm from there to its edges. Its head is high: one that dips there scowls at rest.
_BROW_ACROSS = (9.5, 14.0, 20.0, 33.0, 45.0, 55.0, 62.0)
_BROW_MIDDLE = (-13.2, -14.2, -15.1, -15.9, -14.4, -11.0, -7.8)
_BROW_HALF = (1.4, 3.1, 3.0, 2.4, 1.7, 0.9, 0.2)
_BROW_TOP = 42.0  # mm across of the highest point of an arch
_BROW_REACH = 14.0  # mm to either side over which an arch rises


def brow(identity: Identity) -> Patch:
    """The brows of a person: as thick, as high, as arched and as slanted as theirs are."""
    shape = identity.brow
    across = np.array(_BROW_ACROSS) + shape["apart"]
    arch = np.exp(-0.5 * ((across - _BROW_TOP) / _BROW_REACH) ** 2)
    slant = (across - across[0]) / (across[-1] - across[0]) - 0.5
    middle = np.array(_BROW_MIDDLE) - shape["height"]
    middle = middle - shape["arch"] * (arch - arch[0]) - shape["slant"] * slant
    half = np.array(_BROW_HALF) * shape["thickness"]
    top, bottom = (tuple(float(v) for v in middle + way * half) for way in (-1, 1))
    along = tuple(float(v) for v in across)
    return Patch((along, top), (along, bottom), 650, 0.075, 1.0, -0.35, 0.25, 0.12)


def between(across: np.ndarray, down: np.ndarray, patch: Patch) -> np.ndarray:
    """(n,) mm inside the lines of a patch, negative outside; the mouth is outside of every one."""
    a = np.abs(across)
    inside = np.minimum(down - np.interp(a, *patch.top), np.interp(a, *patch.bottom) - down)
    inside = np.where((a < patch.top[0][0]) | (a > patch.top[0][-1]), -9.0, inside)
    lips = np.minimum(down - np.interp(a, *_LIP_TOP), np.interp(a, *_LIP_LOW) - down)
    return np.asarray(np.minimum(inside, 0.8 - lips))


@lru_cache(maxsize=2)
def _pool(assets: Assets) -> tuple[Roots, np.ndarray, np.ndarray]:
    """Roots over the face with their chart, mm across and down; read once a process."""
    base = basemesh.load(assets)
    across, down = creases.chart(base)
    triangles = skin_triangles(base)
    middle = base.mesh.vertices[triangles].mean(axis=1)
    a, d = np.abs(across[triangles]).max(axis=1), down[triangles]
    front = (a < 105) & (d.min(axis=1) > -30) & (d.max(axis=1) < 160) & (middle[:, 2] > 0.72)
    # Lips and the mouth's inside share the chart's range: they lie between the lines of the lips.
    roots = spread(base, triangles[front], _FACE, np.random.default_rng(_SEED))
    chart = roots.mix(np.stack([across, down], axis=1))
    return roots, chart[:, 0], chart[:, 1]


def plant(patch: Patch, assets: Assets, density: float, rng: np.random.Generator) -> Roots:
    """The roots of a patch; its edge is ragged by a millimetre and a half."""
    roots, across, down = _pool(assets)
    depth = between(across, down, patch)
    kept = np.flatnonzero(depth > np.abs(rng.normal(0, 1.0, len(depth))))
    chosen = rng.permutation(kept)[: int(patch.strands * density)]
    return roots[np.sort(chosen)]


def sprout(
    roots: Roots, patch: Patch, neutral: np.ndarray, chart: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n, 4, 3) dm: short strands of a patch on a `neutral` face (V, 3) with its `chart` (V, 2)."""
    place = roots.on(neutral)
    outwards, left, low = _ways(roots, neutral, chart)
    side = np.sign(roots.places[:, :1])
    way = patch.lift * outwards + patch.across * side * left + patch.down * low
    way = way + rng.normal(0, 0.22, way.shape)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    reach = patch.length * rng.uniform(0.6, 1.15, len(roots))[:, None]
    along = np.array([-0.06, 0.35, 0.7, 1.0])
    sag = 0.35 * np.array([0, 0.1, 0.45, 1.0])  # a hair bends back towards the skin
    lift = np.einsum("ij,ij->i", way, outwards)[:, None] * outwards
    return np.asarray(
        place[:, None] + along[None, :, None] * (reach * way)[:, None]
        - sag[None, :, None] * (reach * lift)[:, None]
    )  # fmt: skip


def shade(base: BaseMesh, beard: str) -> np.ndarray:
    """(V,) share of a beard's shade on the skin of the base mesh."""
    across, down = creases.chart(base)
    front = np.isfinite(across) & (base.mesh.vertices[:, 2] > 0.72)
    a, d = np.where(front, across, 0), np.where(front, down, 0)
    depths = [between(a, d, patch) for patch in BEARDS[beard]]
    strength = _SHADES[beard]
    return np.where(front, strength * np.clip(np.max([*depths, -9 + 0 * a], axis=0) / 5, 0, 1), 0)


def require(name: str) -> tuple[Patch, ...]:
    """The patches of a beard; AvatarError with the nearest name for an unknown one."""
    if name not in BEARDS:
        raise AvatarError(f"there is no beard '{name}'; the nearest is '{nearest(name, BEARDS)}'")
    return BEARDS[name]


def _ways(
    roots: Roots, neutral: np.ndarray, chart: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 3) unit vectors at each root: off the skin, across to the own left, down the chart."""
    marks, corners = chart[roots.triangles], neutral[roots.triangles]
    edges, spans = corners[:, 1:] - corners[:, :1], marks[:, 1:] - marks[:, :1]
    ways = np.linalg.pinv(spans) @ edges  # (n, 2, 3) dm a mm of the chart
    ways /= np.linalg.norm(ways, axis=2, keepdims=True) + 1e-12
    outwards = np.cross(edges[:, 0], edges[:, 1])
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True) + 1e-12
    return outwards, ways[:, 0], ways[:, 1]
