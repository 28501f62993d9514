"""A person's hair: the strands of scalp, brows and beard, and how they follow head and skin."""

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from avatars import creases, hairface, hairgrow, hairroots, hairstyles, landmarks
from avatars.assets import Assets
from avatars.basemesh import CHAIN, BaseMesh
from avatars.errors import AvatarError
from avatars.hairface import Patch
from avatars.hairfield import Field
from avatars.hairroots import Roots
from avatars.hairstyles import Style
from avatars.identity import Identity

# Points of all strands of a person: three times what the fullest style needs. Blender keeps about
# 200 bytes a point, so this is 120 MB a worker.
MOST_POINTS = 600_000
_GREY = np.array([0.58, 0.57, 0.54])
_SHADOW = 0.5  # of grey hair's light between its strands
_BROW_SHADE = 0.75  # of the colour of the head's hair, grey ones too: skin shows between them
# Beards turn grey first, brows last.
_GREYING = {"hair": 1.0, "brows": 0.5, "beard": 1.0}
_TIP = 0.35  # of its radius that the end of a hair of brow or beard keeps
_BUN = 500  # strands wound into a knot
_FALL = 0.35  # dm below the chin where hanging hair no longer follows the head


class Wearer(NamedTuple):
    """Whose hair is grown: `neutral` (V, 3) dm is their face at rest."""

    identity: Identity
    base: BaseMesh
    neutral: np.ndarray
    assets: Assets


class _Grown(NamedTuple):
    roots: Roots
    points: np.ndarray  # (n, k, 3) dm
    radius: float  # mm
    tip: float  # share of the radius that is left at the end


@dataclass(frozen=True)
class Growth:
    """One growth of hair, "hair", "brows" or "beard".

    `points` (n, k, 3) dm from each root on the neutral face; `colours` (n, 3) linear RGB; `radii`
    (k,) metres; `weights` (n, k, 5) over trunk and neck chain; `frames` (n, 3, 3) of the roots'
    triangles.
    """

    name: str
    roots: Roots
    points: np.ndarray
    colours: np.ndarray
    radii: np.ndarray
    weights: np.ndarray
    frames: np.ndarray

    @property
    def radius(self) -> float:
        """Mean radius of a strand, metres."""
        return float(self.radii.mean())

    def posed(self, straight: np.ndarray, maps: np.ndarray) -> np.ndarray:
        """(n, k, 3) dm on the skin `straight` (V, 3) of an expression, under `maps` (5, 3, 4)."""
        apart = self.points
        if self.name != "hair":  # the scalp glides over the skull, it does not turn
            turn = self.roots.frames(straight) @ self.frames.transpose(0, 2, 1)
            apart = apart @ turn.transpose(0, 2, 1)
        loose = self.roots.on(straight)[:, None] + apart
        if (self.weights[..., -1] == 1).all():
            return np.asarray(loose @ maps[-1, :, :3].T + maps[-1, :, 3])
        blended = np.tensordot(self.weights, maps, axes=1)
        return np.asarray(np.einsum("nkij,nkj->nki", blended[..., :3], loose) + blended[..., 3])


# dm around the eyes that strands keep free: brows and beards grow where they grow.
_CLEAR = {"hair": 0.03, "brows": 0.005, "beard": 0.005}


def wear(wearer: Wearer) -> tuple[Growth, ...]:
    """All strands of a person.

    Raises AvatarError for an unknown style or beard and for more strands than memory should hold.
    """
    identity = wearer.identity
    style = hairstyles.require(identity.hair)
    patches = hairface.require(identity.beard)
    _fits(identity, style.strands * style.joints)
    digest = hashlib.sha256(json.dumps(identity.row(), sort_keys=True).encode()).digest()
    rng = np.random.default_rng(list(digest))
    grown = [_scalp(wearer, style, rng), _patch("brows", wearer, hairface.brow(identity), rng)]
    return (*grown, *(_patch("beard", wearer, patch, rng) for patch in patches))


def cover(wearer: Wearer) -> np.ndarray:
    """(V,) share of hair's shade on the skin of the base mesh: what shows between the strands."""
    identity = wearer.identity
    style = hairstyles.require(identity.hair)
    scalp = style.shade * hairstyles.kept(wearer.base.mesh.vertices, style, identity.hairline)
    return np.maximum(scalp, hairface.shade(wearer.base, identity.beard))


def shade_colour(identity: Identity) -> np.ndarray:
    """(3,) linear RGB between the strands: hair in its own shadow."""
    grey = identity.hair_grey
    return np.asarray((1 - grey) * np.array(identity.hair_colour) + grey * _SHADOW * _GREY)


def _fits(identity: Identity, points: int) -> None:
    wanted = int(points * identity.hair_density)
    if wanted > MOST_POINTS:
        raise AvatarError(
            f"hair '{identity.hair}' at density {identity.hair_density} needs {wanted:,} points, "
            f"{MOST_POINTS:,} are allowed; lower hair_density"
        )


def _scalp(wearer: Wearer, style: Style, rng: np.random.Generator) -> Growth:
    identity, neutral = wearer.identity, wearer.neutral
    pool = hairroots.scalp(wearer.assets)
    share = hairstyles.kept(pool.places, style, identity.hairline)
    roots = pool[np.flatnonzero(share > rng.random(len(pool)))]
    ears = hairroots.ears(wearer.assets)
    roots = roots[~hairroots.under(roots.on(neutral), [neutral[ids] for ids in ears])]
    roots = roots[np.arange(len(roots)) < style.strands * identity.hair_density]
    field = Field(neutral, wearer.base.mesh.quads[wearer.base.skin], ears)
    head = hairgrow.head(field, neutral, roots.on(neutral), style, identity.parting)
    points = hairgrow.grow(roots.on(neutral), head, style, identity.hair_length, rng)
    if style.tie:
        wound = hairgrow.bun(head, style.joints, _BUN, rng)
        nearest = np.linalg.norm(roots.on(neutral) - head.knot, axis=1).argsort()[:_BUN]
        roots = roots[np.r_[np.arange(len(roots)), nearest]]
        points = np.concatenate([points, wound])
    return _bound("hair", wearer, _Grown(roots, points, style.radius, style.tip), rng)


def _patch(name: str, wearer: Wearer, patch: Patch, rng: np.random.Generator) -> Growth:
    density = wearer.identity.brow_density if name == "brows" else 1.0
    roots = hairface.plant(patch, wearer.assets, density, rng)
    chart = np.stack(creases.chart(wearer.base), axis=1)
    points = hairface.sprout(roots, patch, wearer.neutral, chart, rng)
    return _bound(name, wearer, _Grown(roots, points, patch.radius, _TIP), rng)


def _bound(name: str, wearer: Wearer, grown: _Grown, rng: np.random.Generator) -> Growth:
    """Coloured strands tied to their roots, without those that come before an eye."""
    roots, points, radius, tip = grown
    kept = ~_veiling(points, landmarks.locate(wearer.neutral), _CLEAR[name])
    roots, points = roots[np.flatnonzero(kept)], points[kept]
    count, joints, _ = points.shape
    weights = _weights(wearer, points) if name == "hair" else _rooted(wearer, roots, joints)
    return Growth(
        name=name,
        roots=roots,
        points=points - roots.on(wearer.neutral)[:, None],
        colours=_colours(name, wearer.identity, count, rng),
        radii=np.linspace(1.0, tip, joints) * radius / 1000,
        weights=weights,
        frames=roots.frames(wearer.neutral),
    )


def _veiling(points: np.ndarray, marks: np.ndarray, margin: float) -> np.ndarray:
    """(n,) whether strands (n, k, 3) run before an eye, or within `margin` dm around one."""
    found = np.zeros(len(points), bool)
    for eye in (marks[36:42], marks[42:48]):
        low, high = eye.min(axis=0), eye.max(axis=0)
        away = (2 * points - low - high)[..., :2] / (high - low + 2 * margin)[:2]
        near = (np.linalg.norm(away, axis=2) < 1) & (points[..., 2] > low[2] - 0.1)
        found |= near.any(axis=1)
    return found


def _weights(wearer: Wearer, points: np.ndarray) -> np.ndarray:
    """(n, k, 5) of the neck chain: the head's down to the chin, the trunk's on the shoulders."""
    chin = landmarks.locate(wearer.neutral)[8, 1]
    levels = chin - _FALL * np.linspace(2, 0, len(CHAIN) + 1)
    return np.stack([
        np.interp(points[..., 1], levels, column) for column in np.eye(len(CHAIN) + 1)
    ], axis=-1)  # fmt: skip


def _rooted(wearer: Wearer, roots: Roots, joints: int) -> np.ndarray:
    """(n, joints, 5) weights of the skin at each root."""
    own = roots.mix(wearer.base.weights)
    return np.repeat(own[:, None], joints, axis=1)


def _colours(name: str, identity: Identity, count: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) linear RGB: shades of the natural colour, and the grey ones among them."""
    shade = _BROW_SHADE if name == "brows" else 1.0
    natural = shade * np.array(identity.hair_colour) * np.exp(rng.normal(0, 0.18, (count, 1)))
    grey = rng.random(count) < identity.hair_grey * _GREYING[name]
    return np.where(grey[:, None], shade * _GREY * rng.uniform(0.75, 1.15, (count, 1)), natural)
