"""Expression creases: folds that the skin shows as far as the muscle below them pulls.

The mesh is too coarse for a fold, so grooves are painted once a person as height maps
(`avatars.crease_lines`) and each frame weighs them, per side, by the executed units. Three maps
hold all families: those that come near each other lie in different channels, those of one
channel in different bands.
"""

from typing import NamedTuple

import numpy as np

from avatars.basemesh import BaseMesh
from avatars.crease_lines import BRIDGE, CHANNELS, MM
from avatars.identity import Identity
from avatars.units import UNITS


class Family(NamedTuple):
    """Creases that deepen together.

    `band` (top, bottom) mm down; `reach` (from, to) mm across over which the weight goes from 1
    to 0, reversed for a family of the flank; `stays` is the share that an old face keeps when
    nothing pulls; `units` the share of each unit that pulls it.
    """

    channel: int
    band: tuple[float, float]
    reach: tuple[float, float]
    stays: float
    units: dict[str, float]


FAMILIES = {
    "forehead-inner": Family(0, (-80, -13), (14, 34), 0.55, {"1": 1.0}),
    "forehead-outer": Family(0, (-80, -13), (34, 14), 0.5, {"2": 1.0}),
    "crows-feet": Family(0, (-13, 24), (90, 95), 0.7, {
        "6": 1.0, "7": 0.35, "12": 0.3, "9": 0.25, "43": 0.1,
    }),
    "nasolabial": Family(0, (28, 100), (90, 95), 0.8, {
        "12": 0.9, "10": 0.8, "9": 0.7, "6": 0.4, "14": 0.4, "20": 0.3, "15": 0.25,
    }),
    "glabella": Family(1, (-80, 20), (30, 40), 0.25, {"4": 1.0, "9": 0.35}),
    "marionette": Family(1, (50, 110), (90, 95), 0.4, {"15": 1.0, "20": 0.35, "17": 0.3}),
    "nose": Family(2, (-20, 35), (30, 40), 0.15, {"9": 1.0, "10": 0.2}),
    "chin": Family(2, (78, 112), (30, 36), 0.2, {"17": 1.0, "15": 0.25, "24": 0.2}),
}  # fmt: skip


def resting(age: float) -> float:
    """How far folds have come to stay in [0, 1]: none before 28 years, all at 85."""
    return float(np.clip((age - 28) / 57, 0, 1) ** 0.65)


class Folds:
    """How far each fold of one person is pulled, over the skin's vertices."""

    def __init__(self, identity: Identity, base: BaseMesh) -> None:
        stays = np.array([family.stays for family in FAMILIES.values()])
        self._rest = resting(identity.age) * stays[:, None]
        across, down = chart(base)
        self._ids = np.flatnonzero((np.abs(across) < 110) & (down > -90) & (down < 120))
        across, down = across[self._ids], down[self._ids]
        left = _smooth((across + 6) / 12)
        shares = []
        for family in FAMILIES.values():
            top, bottom = family.band
            weight = _smooth((down - top + 3) / 6) * _smooth((bottom + 3 - down) / 6)
            start, end = family.reach
            weight *= 1 - _smooth((np.abs(across) - start) / (end - start))
            shares.append([weight * left, weight * (1 - left)])
        self._shares = np.array(shares)  # (F, 2, n)
        self._vertices = len(base.mesh.vertices)

    def field(self, executed: np.ndarray) -> np.ndarray:
        """(V, 3) float32 in [0, 1]: pull of each channel's folds under `executed` (U, 2)."""
        pulls = self._rest + (1 - self._rest) * pulled(executed)
        field = np.zeros((self._vertices, CHANNELS), np.float32)
        for family, shares, pull in zip(FAMILIES.values(), self._shares, pulls, strict=True):
            field[self._ids, family.channel] += pull @ shares
        return np.minimum(field, 1.0)


def pulled(executed: np.ndarray) -> np.ndarray:
    """(F, 2) pull of each family and side in [0, 1]: several units join, none adds past 1."""
    rows = {name: row for row, name in enumerate(UNITS)}
    return np.stack([
        1 - np.prod([1 - share * executed[rows[unit]] for unit, share in f.units.items()], axis=0)
        for f in FAMILIES.values()
    ])  # fmt: skip


def chart(base: BaseMesh) -> tuple[np.ndarray, np.ndarray]:
    """(V,) mm across and (V,) mm down of every vertex of the base mesh; inf off the skin."""
    uv = np.full((len(base.mesh.vertices), 2), np.inf)
    uv[base.mesh.quads[base.skin]] = base.mesh.uvs[base.skin]
    return MM * (uv[:, 1] - BRIDGE[1]), MM * (uv[:, 0] - BRIDGE[0])


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
