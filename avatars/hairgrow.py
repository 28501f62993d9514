"""Growing a head of hair: strands from roots, step by step over a person's own skull.

Each step turns a strand towards the flow of its style, lets it fall, keeps it off the skin and
out of the face; clumps and curls are laid on the grown paths. Plain numpy, a tenth of a second.
"""

from typing import NamedTuple

import numpy as np

from avatars import hairshape, landmarks
from avatars.hairfield import Field
from avatars.hairshape import smooth, unit
from avatars.hairstyles import Style

_CLEAR, _CLOTH = 0.012, 0.07  # dm that hair stays off the skin, and off it over the gown
# dm above the brows that stay free: a fringe ends just above them, parted hair leaves the forehead.
_BROW, _FOREHEAD = 0.1, 0.3
_DOWN = np.array([0.0, -1.0, 0.0])


class Head(NamedTuple):
    """What a style is laid around, decimetres on the person's neutral face."""

    field: Field
    whorl: np.ndarray  # (3,) where hair turns at the back of the crown
    knot: np.ndarray  # (3,) where tied hair is held
    marks: np.ndarray  # (68, 3) landmarks
    parting: float  # x of the parting
    brow: float  # how far above the brows the room ends that hair leaves free
    top: float  # y of the crown
    low: float  # y of the nape's hairline


def head(
    field: Field, neutral: np.ndarray, roots: np.ndarray, style: Style, parting: float
) -> Head:
    """The head of a `neutral` face (V, 3) whose hair grows at `roots` (n, 3)."""
    low, high = roots.min(axis=0), roots.max(axis=0)
    back = low[2] + 0.28 * (high[2] - low[2])
    return Head(
        field=field,
        whorl=np.array([0.1 * np.sign(parting), high[1] - 0.1, back]),
        knot=_knot(field, low, high, style.knot),
        marks=landmarks.locate(neutral),
        parting=parting,
        brow=_FOREHEAD if style.part or style.tie else _BROW,
        top=high[1],
        low=low[1],
    )


def _knot(field: Field, low: np.ndarray, high: np.ndarray, height: float) -> np.ndarray:
    """(3,) on the back of a scalp between `low` and `high`, `height` of the way up."""
    middle = (low + high) / 2
    away = np.array([0.0, low[1] + height * (high[1] - low[1]) - middle[1], low[2] - middle[2]])
    away *= [1.0, 1.0, np.sqrt(max(0.05, 1 - (2 * height - 1) ** 2))]
    return field.push((middle + away)[None], 0.06)[0]


def grow(
    roots: np.ndarray, head: Head, style: Style, length: float, rng: np.random.Generator
) -> np.ndarray:
    """(n, joints, 3) dm: strands from `roots` (n, 3); `length` scales the style's own."""
    clumps = hairshape.clumps(roots, style.per, rng)
    strands = _drawn(roots, head, style, length, rng)
    tilt = rng.normal(0, 1, (len(clumps.guides), 3))[clumps.owner]
    path = _walk(strands, head, style, tilt, rng)
    path = hairshape.gather(path, clumps, style)
    path = hairshape.curl(path, clumps, style, rng)
    path = _kept_out(path, head)
    return hairshape.cut(path, head.marks[8, 1] + style.hem + rng.normal(0, 0.03, len(roots)))


class _Strands(NamedTuple):
    roots: np.ndarray  # (n, 3)
    reach: np.ndarray  # (n,) length, dm
    layer: np.ndarray  # (n,) height above the skin, dm


def _drawn(
    roots: np.ndarray, head: Head, style: Style, length: float, rng: np.random.Generator
) -> _Strands:
    """Each strand's own length, shorter towards the nape, and the layer it lies in."""
    height = np.clip((roots[:, 1] - head.low) / (head.top - head.low), 0, 1)
    reach = length * style.length * np.exp(rng.normal(0, 0.1, len(roots)))
    reach *= style.taper + (1 - style.taper) * np.clip(1.25 * height, 0, 1) ** 1.3
    layer = style.layer * (0.5 + 0.5 * np.clip(1.5 * height, 0, 1))  # sides lie closer
    return _Strands(roots, reach, layer * (0.15 + 0.85 * rng.random(len(roots))))


def _walk(
    strands: _Strands, head: Head, style: Style, tilt: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n, joints, 3): paths step by step; `tilt` (n, 3) is shared by the strands of a clump."""
    roots, last = strands.roots, style.joints - 1
    _, outwards = head.field.read(roots)
    turn = flow(roots, roots, outwards, head, style)
    way = unit(style.lift * outwards + (1 - style.lift) * turn + 0.6 * style.frizz * tilt)
    path = [roots - 0.01 * outwards]
    for joint in range(1, style.joints):
        along = joint / last
        point = path[-1] + (strands.reach / last)[:, None] * way
        point, outwards = _laid(point, strands.layer * min(1.0, 4 * along), head, style.hug)
        gone, turn = unit(point - path[-1]), flow(point, roots, outwards, head, style)
        stray = style.frizz * (0.6 * tilt + rng.normal(0, 1, tilt.shape))
        fall = style.gravity * along * _DOWN
        way = unit((1 - style.bend) * gone + style.bend * turn + fall + stray)
        path.append(point)
    return np.stack(path, axis=1)


def _laid(
    point: np.ndarray, layer: np.ndarray, head: Head, hug: float
) -> tuple[np.ndarray, np.ndarray]:
    """`point` (n, 3) at its `layer` (n,) above the skin and out of the face; the way outwards."""
    distance, outwards = head.field.read(point)
    held = hug * smooth((point[:, 1] - head.low - 0.1) / 0.5)  # what hangs lower is free
    rise = np.where(distance < layer, 1.0, held) * (layer - distance)
    return clear_face(point + rise[:, None] * outwards, head), outwards


def flow(
    points: np.ndarray, roots: np.ndarray, outwards: np.ndarray, head: Head, style: Style
) -> np.ndarray:
    """(n, 3) unit vectors along the skin: where the style's hair goes at `points` (n, 3)."""
    # What hangs beside the face is neither combed nor parted off it.
    high = smooth((points[:, 1] - head.marks[27, 1]) / 0.4)[:, None]
    comb = np.where([True, False, False], high, 1.0) * np.array(style.comb)
    way = style.whorl * unit(points - head.whorl) + comb
    if style.part:
        side = np.clip((roots[:, 0] - head.parting) / 0.12, -1, 1)
        ahead = smooth((points[:, 2] - head.whorl[2] + 0.1) / 0.5)  # nobody parts the back
        way = way + (style.part * side * ahead)[:, None] * high * [1.0, 0.0, 0.0]
        # What grows in the parting itself is laid back over the crown, not into the forehead.
        way = way + ((1 - np.abs(side)) * ahead)[:, None] * [0.0, 0.3, -1.5]
    if style.tie:
        way = way + style.tie * unit(head.knot - points)
    # What hangs below the jaw falls behind the shoulders.
    low = smooth((head.marks[8, 1] + 0.5 - points[:, 1]) / 0.5)
    way = way + low[:, None] * [0.0, -0.6, -0.8]
    along = way - np.einsum("ij,ij->i", way, outwards)[:, None] * outwards
    return unit(along)


def face_depth(points: np.ndarray, head: Head) -> tuple[np.ndarray, np.ndarray]:
    """How deep points (n, 3) lie in the room before the face that hair leaves free.

    (n,) dm, negative outside, and (n, 3) the shortest way out: sideways, or up over the brows.
    """
    brow = head.marks[17:27, 1].max() + head.brow
    chin = head.marks[8, 1] - 0.3
    ahead = head.marks[[36, 45], 2].mean() - 0.18
    half = np.abs(head.marks[[36, 45], 0]).mean() + 0.12
    middle, tall = (brow + chin) / 2, (brow - chin) / 2
    wide = half + 0.9 * np.maximum(points[:, 2] - ahead - 0.1, 0)
    x, y = points[:, 0] / wide, (points[:, 1] - middle) / tall
    size = (x**4 + y**4) ** 0.25
    depth = np.minimum((1 - size) * wide, points[:, 2] - ahead)
    slope = np.stack([x**3, 0.3 * np.maximum(y, 0) ** 3, np.zeros_like(x)], axis=1)
    return depth, unit(slope)


def clear_face(points: np.ndarray, head: Head) -> np.ndarray:
    """`points` (n, 3) moved out of the room before the face."""
    depth, out = face_depth(points, head)
    return np.asarray(points + 1.05 * np.maximum(depth, 0)[:, None] * out)


def _kept_out(path: np.ndarray, head: Head) -> np.ndarray:
    """Strands off the skin; one that still enters the face's room ends before it."""
    count, joints, _ = path.shape
    loose = path[:, 1:].reshape(-1, 3)
    chin = head.marks[8, 1]
    loose = head.field.push(loose, _CLEAR + _CLOTH * smooth((chin - 0.1 - loose[:, 1]) / 0.2))
    bad = (face_depth(loose, head)[0] > 0.02).reshape(count, joints - 1)
    path = path.copy()
    path[:, 1:] = loose.reshape(count, joints - 1, 3)
    last = np.where(bad.any(axis=1), bad.argmax(axis=1), joints - 1)  # last good joint
    keep = np.minimum(np.arange(joints), last[:, None])
    return np.take_along_axis(path, keep[..., None], axis=1)


def bun(head: Head, joints: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, joints, 3) dm: strands wound into a knot of hair."""
    _, outwards = head.field.read(head.knot[None])
    size = 0.30 * rng.uniform(0.75, 1.0, count)
    axis = unit(outwards + rng.normal(0, 0.45, (count, 3)))
    across = unit(np.cross(axis, rng.normal(0, 1, (count, 3))))
    other = np.cross(axis, across)
    angle = rng.uniform(0, 2 * np.pi, count)[:, None] + np.linspace(0, 3.6, joints)
    ring = np.cos(angle)[..., None] * across[:, None] + np.sin(angle)[..., None] * other[:, None]
    level = rng.uniform(-0.9, 0.9, count)
    round_ = size[:, None, None] * (
        np.sqrt(1 - level**2)[:, None, None] * ring + level[:, None, None] * axis[:, None]
    )
    return np.asarray(head.knot + 0.17 * outwards + round_)
