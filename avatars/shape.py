"""From a person's description to the vertices of their neutral face."""

import numpy as np

from avatars import ageing
from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.targets import Targets

# Of the area the same quad has on the base mesh: details that meet at a corner of eye or lips can
# fold one to nothing. Twice what `benchmarks/soundness.py` asks for.
_SMALLEST = 0.02
_ROUNDS = 5  # a mended quad may squeeze its neighbour; one round did for 2,000 people
# Of the face's area that may look the other way than on the base mesh, four fifths of what
# `benchmarks/soundness.py` allows, and the shares of a person's own details tried until it does.
_TURNED = 0.004
_DRAWN_BACK = (1.0, 0.85, 0.7, 0.55, 0.4)


def neutral(identity: Identity, base: BaseMesh, targets: Targets) -> np.ndarray:
    """(V, 3) float64 decimetres: the base mesh under macro and detail targets.

    A face that its own details would fold over itself takes as much of them as leaves it whole.
    """
    macro = macro_weights(identity)
    for share in _DRAWN_BACK:
        weights = {**macro, **detail_weights(identity, share)}
        shaped = targets.add(base.mesh.vertices, {k: w for k, w in weights.items() if w})
        if turned(shaped, base) <= _TURNED:
            break
    return shaped


def turned(vertices: np.ndarray, base: BaseMesh) -> float:
    """Share of the face's area that looks the other way on `vertices` (V, 3) than on the base."""
    quads = base.mesh.quads[base.skin]
    before, after = normals(base.mesh.vertices, quads), normals(vertices, quads)
    size = np.linalg.norm(before, axis=1)
    front = before[:, 2] > 0.5 * size  # looks forwards: no ear, not the mouth's inside
    over = front & ~(np.einsum("ij,ij->i", before, after) >= 0)
    return float(size[over].sum() / size[front].sum())


def detail_weights(identity: Identity, share: float = 1.0) -> dict[str, float]:
    """`share` of the person's own details, with those of age and sex whole.

    None goes past what its target was made for.
    A detail and its opposite (`-incr`, `-decr`) both stand: they cancel as far as they mirror.
    """
    weights = {name: share * weight for name, weight in identity.details.items()}
    for name, weight in ageing.details(identity).items():
        weights[name] = min(weights.get(name, 0.0) + weight, 1.0)
    return weights


def unfold(vertices: np.ndarray, base: BaseMesh) -> np.ndarray:
    """`vertices` (V, 3) in which no skin quad has lost its area, as a new array.

    The corners of a collapsed quad move from the base mesh as their neighbours do on average:
    Laplacian smoothing of the displacement (Sorkine 2005), where it is needed alone.
    """
    quads = base.mesh.quads[base.skin]
    size = areas(base.mesh.vertices, quads)
    moved = vertices - base.mesh.vertices
    for _ in range(_ROUNDS):
        collapsed = areas(base.mesh.vertices + moved, quads) < _SMALLEST * size
        if not collapsed.any():
            break
        corners = np.unique(quads[collapsed])
        moved[corners] = [_around(moved, quads, corner) for corner in corners]
    return np.asarray(base.mesh.vertices + moved)


def areas(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(F,) area of each quad (F, 4) on `vertices` (V, 3), in their unit squared."""
    return np.asarray(np.linalg.norm(normals(vertices, quads), axis=1))


def normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(F, 3) normal of each quad (F, 4), as long as its area: half its diagonals' product."""
    corners = vertices[quads]
    across, down = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return np.asarray(np.cross(across, down) / 2)


def _around(moved: np.ndarray, quads: np.ndarray, corner: int) -> np.ndarray:
    """(3,) mean displacement of the vertices that share a quad with `corner`, itself left out."""
    ring = np.unique(quads[(quads == corner).any(axis=1)])
    return np.asarray(moved[ring[ring != corner]].mean(axis=0))


def macro_weights(identity: Identity) -> dict[str, float]:
    """MakeHuman's macro targets: ethnicity x sex x age, and sex x age x muscle x weight."""
    sex = identity.sex
    weights: dict[str, float] = {}
    for age, share in _age_shares(identity.age).items():
        for ethnicity, part in identity.mix.items():
            weights[f"macrodetails/{ethnicity}-{sex}-{age}"] = share * part
        for muscle, m in _extremes(identity.muscle).items():
            for weight, w in _extremes(identity.weight).items():
                name = f"macrodetails/universal-{sex}-{age}-{muscle}muscle-{weight}weight"
                weights[name] = share * m * w
    return {name: weight for name, weight in weights.items() if weight > 0}


def _age_shares(years: float) -> dict[str, float]:
    """Tents at 10 (child), 25 (young) and 90 years (old), as MakeHuman's age slider."""
    if years < 25:
        young = (years - 10) / 15
        return {"child": 1 - young, "young": young}
    old = min((years - 25) / 65, 1.0)
    return {"young": 1 - old, "old": old}


def _extremes(value: float) -> dict[str, float]:
    return {
        "min": max(0.0, 1 - 2 * value),
        "average": 1 - abs(2 * value - 1),
        "max": max(0.0, 2 * value - 1),
    }
