"""From a person's description to the vertices of their neutral face."""

import numpy as np

from avatars.basemesh import BaseMesh
from avatars.identity import Identity
from avatars.targets import Targets


def neutral(identity: Identity, base: BaseMesh, targets: Targets) -> np.ndarray:
    """(V, 3) float64 decimetres: the base mesh under macro and detail targets."""
    weights = {**macro_weights(identity), **identity.details}
    return targets.add(base.mesh.vertices, {k: w for k, w in weights.items() if w})


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
