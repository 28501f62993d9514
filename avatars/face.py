"""One person's face, ready to perform: action units in, vertices out."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from avatars import landmarks
from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.pose import lid_follow
from avatars.shape import neutral, unfold
from avatars.targets import SCULPTED, Offsets, Targets
from avatars.units import SIDES, UNITS, Part


class Component(NamedTuple):
    """A target that moves one side: by its own name, or by a `cut`.

    "middle" halves a bilateral target at the midline; "leak" takes from a one-sided target what
    it moves on the other side; "" keeps all of it.
    """

    target: str
    side: str  # "left", "right" or "none"
    cut: str = ""


# dm: a bilateral target fades across the midline within this half-width, less than a mouth
# corner's distance from it, so that a one-sided unit leaves the other corner alone.
_MIDLINE = 0.22
# dm beyond the midline over which a one-sided target's own fall-off ends: no wider than a nostril.
_LEAK = 0.15
_PARTING = Component("x:mouth-parling", "none")
# The upper lid that follows an eye looking up, though no unit uses it.
_OPENED = tuple(Component(f"x:eye-{side}-opened-up", side) for side in SIDES)
_CLOSURES = tuple(Component(f"x:eye-{side}-closure", side) for side in SIDES)
# dm between the landmarks of the inner lips at rest. Shapes leave some people's 3 mm apart, with a
# line of teeth between them; at 1 mm lips touch (20 people looked at).
_REST_GAP = 0.01
_SHUT = 0.008  # dm that shut lids overlap; at 0.005 one person of 150 showed a slit
# Of the closure target, for small eyes: all of it laps their lids over by 5 mm.
_LEAST_CLOSURE = 0.9


class Face:
    """Neutral vertices of an identity and the offsets of every action-unit component."""

    def __init__(self, identity: Identity, base: BaseMesh, targets: Targets) -> None:
        self.identity = identity
        self.base = base
        self.neutral = neutral(identity, base, targets)
        used = {key for unit in UNITS.values() for p in unit.parts for key in _keys(p)}
        keys = sorted(used | {_PARTING, *_OPENED})
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
        self._lids = landmarks.lid_heights(self.neutral)
        self._lid_changes = np.stack([
            landmarks.lid_heights(self._moved(row)) for row in self._offsets
        ])  # fmt: skip

    def express(self, executed: np.ndarray, gaze_deg: np.ndarray) -> np.ndarray:
        """(V, 3) decimetres of the face, head straight, under `executed` (U, 2) in [0, 1].

        `gaze_deg` (2,) yaw and pitch: the upper lid follows the eye.
        """
        weights = component_weights(executed, gaze_deg)
        row = np.array([weights.get(key, 0.0) for key in self._keys])
        self._let_lids_meet(row)
        vertices = self.neutral.copy()
        vertices[self._ids] += np.tensordot(row, self._offsets, axes=1)
        vertices[self._ids] += np.tensordot(self._overlap(row), self._partings, axes=1)
        return vertices

    def _close_lips(self) -> None:
        """Let the lips of the neutral face touch: neither apart nor across each other."""
        gaps = landmarks.lip_gaps(self.neutral)
        apart, across = gaps - _REST_GAP, self._opening(gaps)
        weights = across - self._opening(-apart)
        self.neutral[self._ids] += np.tensordot(weights, self._partings, axes=1)

    def _let_lids_meet(self, row: np.ndarray) -> None:
        """Scale each eye's closure in `row`, in place, to where full closure lets its lids meet.

        Tall eyes need more than the target gives, as do brows or cheeks that pull at the lids.
        """
        places = [self._keys[key] for key in _CLOSURES]
        closed = row[places]
        row[places] = 0.0
        heights = self._lids + row @ self._lid_changes
        for column, place in enumerate(places):
            factor = (heights[column] + _SHUT) / -self._lid_changes[place, column]
            row[place] = closed[column] * max(_LEAST_CLOSURE, factor)

    def _gap_change(self, offsets: np.ndarray) -> np.ndarray:
        return landmarks.lip_gaps(self._moved(offsets))

    def _moved(self, offsets: np.ndarray) -> np.ndarray:
        """(V, 3) of offsets (n, 3) of the vertices that units move."""
        moved = np.zeros_like(self.neutral)
        moved[self._ids] = offsets
        return moved

    def _overlap(self, row: np.ndarray) -> np.ndarray:
        """(2,) weights of the lip-parting target that let lips crossed by `row` meet."""
        return self._opening(self._gap + row @ self._gaps)

    def _opening(self, gaps: np.ndarray) -> np.ndarray:
        """(2,) weights of the lip-parting target, flanks and middle, that undo negative `gaps`."""
        flank, middle, other = np.clip(-gaps, 0.0, None) / self._parted
        return np.array([max(flank, other), middle])

    def _component(self, key: Component, targets: Targets) -> Offsets:
        ids, vectors = self._mixed(key.target, targets)
        if not key.cut:
            return ids, vectors
        own = self.base.mesh.vertices[ids, 0] * (1 if key.side == "left" else -1)
        start, width = (-_MIDLINE, 2 * _MIDLINE) if key.cut == "middle" else (-_LEAK, _LEAK)
        return ids, vectors * _smooth((own - start) / width)[:, None]

    def _mixed(self, template: str, targets: Targets) -> Offsets:
        if template.startswith("f:"):
            return targets.get(SCULPTED + template.removeprefix("f:"))
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
        Component(f"x:eye-{side}-{motion}", side) for motion in ("closure", "slit", "opened-up")
    )
    wide = Component(f"f:eyeWide{side.title()}", side, "leak")
    follow = lid_follow(gaze_pitch)
    closed = min(1.0, weights[closure] + max(follow, 0.0))
    weights[closure] = closed
    weights[slit] = min(weights[slit], 0.9) * (1 - closed)
    weights[opened] = max(-follow, 0.0) * (1 - closed)
    weights[wide] *= 1 - closed


def _keys(part: Part) -> dict[Component, int]:
    """The components of a part, each with the column of `executed` that drives it."""
    if part.split == "none":
        return {Component(part.target, "none"): 0}
    cut = {"mask": "middle", "own": "leak", "side": ""}[part.split]
    return {
        Component(_sided(part.target, side), side, cut): column for column, side in enumerate(SIDES)
    }


def _sided(template: str, side: str) -> str:
    for blank, word in (("{S}", side), ("{s}", side[0]), ("{Side}", side.title())):
        template = template.replace(blank, word)
    return template


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def _middle_share(x: np.ndarray) -> np.ndarray:
    """1 at the midline, 0 from where the inner lips' outer points lie (0.1 dm)."""
    return 1 - _smooth(np.abs(x) / 0.1)
