"""From a person's description to the vertices of their neutral face."""

import numpy as np

from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.targets import Targets

# Of the area the same quad has on the base mesh: details that meet at a corner of eye or lips can
# fold one to nothing. Twice what `benchmarks/soundness.py` asks for.
_SMALLEST = 0.02
_ROUNDS = 5  # a mended quad may squeeze its neighbour; one round did for 2,000 people


def neutral(identity: Identity, base: BaseMesh, targets: Targets) -> np.ndarray:
    """(V, 3) float64 decimetres: the base mesh under macro and detail targets."""
    weights = {**macro_weights(identity), **identity.details}
    return targets.add(base.mesh.vertices, {k: w for k, w in weights.items() if w})


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
