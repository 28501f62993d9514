"""Signs of illness that a skin shows, painted on a healthy complexion.

Each is named, in [0, 1], independent of the expression, and truth. What they look like follows
bedside descriptions: pallor and central cyanosis are read off lips and mucosa where skin is
dark (Martin & Khalil 1990; Lundsgaard & Van Slyke 1923), flush off cheeks, nose and ears.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches

import numpy as np

from avatars.complexion import Regions, tint
from avatars.errors import AvatarError

_SWEAT = 0.22  # roughness of skin under beads of sweat: duller than a film of water
SIGNS = ("pallor", "cyanosis", "flush", "sweat", "dark_rings")


def check(signs: Mapping[str, float]) -> None:
    """Raise AvatarError for an unknown sign or a value outside [0, 1]."""
    for name, value in signs.items():
        if name not in SIGNS:
            near = get_close_matches(name, SIGNS, n=1, cutoff=0.3)
            hint = f"the nearest is '{near[0]}'" if near else f"known: {', '.join(SIGNS)}"
            raise AvatarError(f"there is no sign '{name}'; {hint}")
        if not 0.0 <= value <= 1.0:
            raise AvatarError(f"{name} is {value}; a sign must be in [0, 1]")


def paint(skin: np.ndarray, signs: Mapping[str, float], place: Regions) -> np.ndarray:
    """`skin` (SIZE, SIZE, 4) of `complexion.paint` with the signs on it, as a new array."""
    colour, rough = skin[..., :3].astype(float), skin[..., 3].astype(float)
    for name, value in signs.items():
        if name in _COLOURS:
            colour *= _COLOURS[name](value, place)
    rough += signs.get("sweat", 0.0) * _wetness(place) * (_SWEAT - rough)
    return np.asarray(np.dstack([colour, rough]), np.float32)


def whole(signs: Mapping[str, float]) -> np.ndarray:
    """(3,) factor of all skin's linear RGB, the ears' and the neck's too."""
    factor = np.ones(3)
    for name, value in signs.items():
        factor *= 1 + value * (_WHOLE.get(name, np.ones(3)) - 1)
    return factor


def saturation(signs: Mapping[str, float]) -> float:
    """What is left of the skin's saturation: pallor takes colour out, cyanosis some."""
    return (1 - 0.38 * signs.get("pallor", 0.0)) * (1 - 0.2 * signs.get("cyanosis", 0.0))


# Of all skin at 1; what is local comes on top.
_WHOLE = {
    "pallor": np.array([1.06, 1.06, 1.04]),
    "cyanosis": np.array([0.86, 0.92, 0.99]),
    "flush": np.array([1.03, 0.86, 0.84]),
}


def _pallor(value: float, place: Regions) -> np.ndarray:
    return tint(np.array([1.00, 1.12, 1.12]), value * place.lips)


def _cyanosis(value: float, place: Regions) -> np.ndarray:
    around = tint(np.array([0.86, 0.94, 1.04]), value * place.around_mouth)
    return around * tint(np.array([0.58, 0.68, 1.02]), value * place.lips)


def _flush(value: float, place: Regions) -> np.ndarray:
    hot = np.clip(place.cheeks + 0.8 * place.nose + 0.35 * place.forehead, 0, 1)
    return tint(np.array([1.12, 0.66, 0.62]), value * hot)


def _dark_rings(value: float, place: Regions) -> np.ndarray:
    return tint(np.array([0.42, 0.36, 0.44]), value * place.below_eyes)


def _wetness(place: Regions) -> np.ndarray:
    return np.clip(0.55 + place.forehead + place.nose + place.around_mouth, 0, 1) * place.inside


_COLOURS: dict[str, Callable[[float, Regions], np.ndarray]] = {
    "pallor": _pallor,
    "cyanosis": _cyanosis,
    "flush": _flush,
    "dark_rings": _dark_rings,
}
