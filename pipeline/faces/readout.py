"""Can the truth be read back? A linear map from 68 landmarks to the units that moved them.

Geometry only, nothing is rendered. Landmarks are seen through a clip's own camera, brought onto the
person's neutral ones by a similarity (Procrustes) and the neutral subtracted; ridge regression then
reads every unit and side. People it is judged on are not among those it was fitted to.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from avatars import landmarks, optics
from avatars.person import Person
from avatars.scene import Scene
from avatars.units import SIDES, UNITS

READ = ("1", "2", "4", "12", "15", "25", "26", "43")
# Points no unit of READ moves much: eye corners, bridge and wings of the nose.
STEADY = [27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45]
_EYES = (slice(36, 42), slice(42, 48))


class Seen(NamedTuple):
    """`features` (n, 136) shares of the distance between the eyes; `units` (n, 2 * read)."""

    features: np.ndarray
    units: np.ndarray


def observe(
    person: Person, scene: Scene, count: int, rng: np.random.Generator,
    others: Sequence[str] = (), noise_px: float = 0.0, size: int = 128,
) -> Seen:  # fmt: skip
    """`count` poses of a person: units of READ active by chance, each side by itself.

    Head and eyes stray by 2 and 3 degrees (standard deviation). `others` are units that act too,
    with half the chance; `noise_px` is added to each coordinate of a picture of `size` pixels.
    """
    camera = optics.projection(scene.camera, person.centre, size)
    neutral = landmarks.project(person.neutral.landmarks, camera)
    features, units = [], []
    for _ in range(count):
        executed = _draw(READ, 0.5, rng) + _draw(others, 0.25, rng)
        posed = person.posed(executed, rng.normal(0, 2, 3), rng.normal(0, 3, 2))
        points = landmarks.project(posed.landmarks, camera)
        features.append(normalised(points + rng.normal(0, noise_px, points.shape), neutral))
        units.append(executed[_rows(READ)].ravel())
    return Seen(np.stack(features), np.stack(units))


def normalised(points: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """(136,) displacement of points (68, 2) from `neutral` (68, 2), head motion taken out.

    The similarity (scale, rotation, shift) that brings STEADY onto its neutral place, in closed
    form over complex numbers (Umeyama 1991 in the plane); in units of the distance of the eyes.
    """
    seen, rest = (p[:, 0] + 1j * p[:, 1] for p in (points, neutral))
    a, b = seen - seen[STEADY].mean(), rest - rest[STEADY].mean()
    turn = (a[STEADY].conj() @ b[STEADY]) / (a[STEADY].conj() @ a[STEADY])
    moved = (turn * a - b) / abs(rest[_EYES[0]].mean() - rest[_EYES[1]].mean())
    return np.concatenate([moved.real, moved.imag])


def fit(seen: Seen, ridge: float = 1e-4) -> np.ndarray:
    """(137, outputs) weights, the last row the constant, under a `ridge` penalty."""
    x = _with_constant(seen.features)
    return np.asarray(np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ seen.units))


def read(weights: np.ndarray, features: np.ndarray) -> np.ndarray:
    """(n, outputs) units as `fit`'s weights read them from (n, 136) features."""
    return np.asarray(_with_constant(features) @ weights)


def r_squared(weights: np.ndarray, seen: Seen) -> dict[str, float]:
    """Share of each unit's variance that is read back, keyed "12 left"; unpaired units once."""
    wrong = seen.units - read(weights, seen.features)
    spread = seen.units - seen.units.mean(axis=0)
    shares = 1 - (wrong**2).sum(axis=0) / (spread**2).sum(axis=0)
    return {
        f"{name} {side}" if UNITS[name].paired else name: float(shares[2 * n + column])
        for n, name in enumerate(READ)
        for column, side in enumerate(SIDES)
    }


def pooled(all_seen: Iterable[Seen]) -> Seen:
    """Several people's poses as one."""
    return Seen(*(np.concatenate(parts) for parts in zip(*all_seen, strict=True)))


def _draw(names: Sequence[str], chance: float, rng: np.random.Generator) -> np.ndarray:
    """(U, 2) intensities: each unit active with `chance`, then uniform in [0, 1] a side."""
    executed = np.zeros((len(UNITS), len(SIDES)))
    for row, name in zip(_rows(names), names, strict=True):
        if rng.random() < chance:
            executed[row] = rng.random(2) if UNITS[name].paired else rng.random()
    return executed


def _rows(names: Sequence[str]) -> list[int]:
    return [list(UNITS).index(name) for name in names]


def _with_constant(features: np.ndarray) -> np.ndarray:
    return np.c_[features, np.ones(len(features))]
