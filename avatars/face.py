"""One person's face, ready to perform: action units in, vertices out."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from avatars import landmarks
from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.pose import lid_follow
from avatars.shape import neutral, unfold
from avatars.targets import Offsets, Targets
from avatars.units import SIDES, UNITS, Part


class Component(NamedTuple):
    """A target that moves one side: by its own name, or cut at the midline when `masked`."""

    target: str
    side: str  # "left", "right" or "none"
    masked: bool


# dm: a bilateral target fades across the midline within this half-width, less than a mouth
# corner's distance from it, so that a one-sided unit leaves the other corner alone.
_MIDLINE = 0.22
_PARTING = Component("x:mouth-parling", "none", masked=False)
# dm between the landmarks of the inner lips at rest. Shapes leave some people's 3 mm apart, with a
# line of teeth between them; at 1 mm lips touch (20 people looked at).
_REST_GAP = 0.01
_SHUT = 0.005  # dm that shut lids overlap


class Face:
    """Neutral vertices of an identity and the offsets of every action-unit component."""

    def __init__(self, identity: Identity, base: BaseMesh, targets: Targets) -> None:
        self.identity = identity
        self.base = base
        self.neutral = neutral(identity, base, targets)
        keys = sorted({key for unit in UNITS.values() for p in unit.parts for key in _keys(p)})
        self._keys = {key: row for row, key in enumerate(keys)}
        offsets = [self._component(key, targets) for key in keys]
        self._ids = np.unique(np.concatenate([ids for ids, _ in offsets]))
        self._offsets = np.zeros((len(keys), len(self._ids), 3))
        for row, (ids, vectors) in enumerate(offsets):
            np.add.at(self._offsets[row], np.searchsorted(self._ids, ids), vectors)
        parting = self._offsets[self._keys[_PARTING]]
        middle = _middle_share(base.mesh.vertices[self._ids, 0])[:, None]
        self._partings = np.stack([parting * (1 - middle), parting * middle])
        self._parted = self._gap_change(parting)
        self._close_lips()
        self.neutral = unfold(self.neutral, base)
        self._gap = landmarks.lip_gaps(self.neutral)
        self._gaps = np.stack([self._gap_change(row) for row in self._offsets])
        self._closing = self._lids_meet()

    def express(self, executed: np.ndarray, gaze_deg: np.ndarray) -> np.ndarray:
        """(V, 3) decimetres of the face, head straight, under `executed` (U, 2) in [0, 1].

        `gaze_deg` (2,) yaw and pitch: the upper lid follows the eye.
        """
        weights = component_weights(executed, gaze_deg)
        row = np.array([weights.get(key, 0.0) for key in self._keys])
        for key, factor in self._closing.items():
            row[self._keys[key]] *= factor
        vertices = self.neutral.copy()
        vertices[self._ids] += np.tensordot(row, self._offsets, axes=1)
        vertices[self._ids] += np.tensordot(self._overlap(row), self._partings, axes=1)
        return vertices

    def _close_lips(self) -> None:
        """Let the lips of the neutral face touch."""
        gaps = landmarks.lip_gaps(self.neutral) - _REST_GAP
        flank, middle, other = np.clip(gaps, 0.0, None) / self._parted
        weights = np.array([max(flank, other), middle])
        self.neutral[self._ids] -= np.tensordot(weights, self._partings, axes=1)

    def _lids_meet(self) -> dict[Component, float]:
        """The factor of each eye's closure at which its lids meet: tall eyes need more than 1."""
        heights = landmarks.lid_heights(self.neutral)
        keys = [Component(f"x:eye-{side}-closure", side, masked=False) for side in SIDES]
        changes = [landmarks.lid_heights(self._moved(self._offsets[self._keys[k]])) for k in keys]
        return {
            key: max(1.0, float((height + _SHUT) / -change[column]))
            for column, (key, height, change) in enumerate(zip(keys, heights, changes, strict=True))
        }

    def _gap_change(self, offsets: np.ndarray) -> np.ndarray:
        return landmarks.lip_gaps(self._moved(offsets))

    def _moved(self, offsets: np.ndarray) -> np.ndarray:
        """(V, 3) of offsets (n, 3) of the vertices that units move."""
        moved = np.zeros_like(self.neutral)
        moved[self._ids] = offsets
        return moved

    def _overlap(self, row: np.ndarray) -> np.ndarray:
        """(2,) weights of the lip-parting target, flanks and middle, that let crossed lips meet."""
        gaps = self._gap + row @ self._gaps
        flank, middle, other = np.clip(-gaps, 0.0, None) / self._parted
        return np.array([max(flank, other), middle])

    def _component(self, key: Component, targets: Targets) -> Offsets:
        ids, vectors = self._mixed(key.target, targets)
        if key.masked:
            across = _left_share(self.base.mesh.vertices[ids, 0])
            vectors = vectors * (across if key.side == "left" else 1 - across)[:, None]
        return ids, vectors

    def _mixed(self, template: str, targets: Targets) -> Offsets:
        if not template.startswith("x:"):
            return targets.get(template)
        name = template.removeprefix("x:")
        parts = [
            (targets.get(f"expression/units/{ethnicity}/{name}"), share)
            for ethnicity, share in self.identity.mix.items()
            if share > 0
        ]
        ids = np.concatenate([ids for (ids, _), _ in parts])
        return ids, np.concatenate([share * vectors for (_, vectors), share in parts])


def component_weights(executed: np.ndarray, gaze_deg: np.ndarray) -> dict[Component, float]:
    """Target weights of unit intensities (U, 2), with lids that cannot pass through the eye."""
    weights: dict[Component, float] = defaultdict(float)
    for row, unit in enumerate(UNITS.values()):
        for part in unit.parts:
            for key, column in _keys(part).items():
                weights[key] += part.weight * float(executed[row, column])
    for side in SIDES:
        _saturate_lids(weights, side, float(gaze_deg[1]))
    return weights


def _saturate_lids(weights: dict[Component, float], side: str, gaze_pitch: float) -> None:
    closure, slit, opened = (
        Component(f"x:eye-{side}-{motion}", side, masked=False)
        for motion in ("closure", "slit", "opened-up")
    )
    follow = lid_follow(gaze_pitch)
    closed = min(1.0, weights[closure] + max(follow, 0.0))
    weights[closure] = closed
    weights[slit] = min(weights[slit], 0.9) * (1 - closed)
    weights[opened] = (weights[opened] + max(-follow, 0.0)) * (1 - closed)


def _keys(part: Part) -> dict[Component, int]:
    """The components of a part, each with the column of `executed` that drives it."""
    if part.split == "none":
        return {Component(part.target, "none", masked=False): 0}
    keys = {}
    for column, side in enumerate(SIDES):
        target = part.target.replace("{S}", side).replace("{s}", side[0])
        keys[Component(target, side, masked=part.split == "mask")] = column
    return keys


def _left_share(x: np.ndarray) -> np.ndarray:
    t = np.clip((x + _MIDLINE) / (2 * _MIDLINE), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def _middle_share(x: np.ndarray) -> np.ndarray:
    """1 at the midline, 0 from where the inner lips' outer points lie (0.1 dm)."""
    t = np.clip(np.abs(x) / 0.1, 0.0, 1.0)
    return np.asarray(1 - t * t * (3 - 2 * t))
