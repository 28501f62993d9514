"""ARKit's 52 face coefficients from a clip's units and gaze: `docs/formats/arkit.md`.

Left and right are the person's own, in ARKit as here.
"""

from collections.abc import Mapping

import numpy as np

from avatars.units import EYE_UNITS
from pipeline.errors import ClipError

_SIDED = {  # coefficient without its side > units of that side and their weights
    "browDown": {"4": 1.0, "9": 0.35}, "browOuterUp": {"2": 1.0},
    "cheekSquint": {"6": 1.0}, "eyeBlink": {"43": 1.0, "41": 0.45},
    "eyeSquint": {"7": 1.0, "6": 0.47}, "eyeWide": {"5": 1.0}, "mouthDimple": {"14": 1.0},
    "mouthFrown": {"15": 1.0}, "mouthLowerDown": {"16": 1.0, "25": 1.0}, "mouthPress": {"24": 1.0},
    "mouthSmile": {"12": 1.0}, "mouthStretch": {"20": 1.0}, "mouthUpperUp": {"10": 1.0},
    "noseSneer": {"9": 1.0},
}  # fmt: skip
_WHOLE = {  # the mean of both sides
    "browInnerUp": {"1": 1.0}, "jawOpen": {"27": 1.0, "26": 0.45, "25": 0.18},
    "mouthFunnel": {"22": 1.0}, "mouthPucker": {"18": 1.0},
    "mouthRollLower": {"23": 1.0, "24": 0.15}, "mouthRollUpper": {"23": 1.0, "24": 0.15},
    "mouthShrugLower": {"17": 1.0}, "mouthShrugUpper": {"17": 0.33},
}  # fmt: skip
_GAZE = {  # coefficient > eye unit whose way it is
    "eyeLookOutLeft": "61", "eyeLookInRight": "61", "eyeLookInLeft": "62", "eyeLookOutRight": "62",
    "eyeLookUpLeft": "63", "eyeLookUpRight": "63", "eyeLookDownLeft": "64",
    "eyeLookDownRight": "64",
}  # fmt: skip
_NEVER = (  # moved by no unit that is performed here
    "cheekPuff", "jawForward", "jawLeft", "jawRight", "mouthClose", "mouthLeft", "mouthRight",
    "tongueOut",
)  # fmt: skip
NAMES = tuple(sorted([
    *(f"{name}{side}" for name in _SIDED for side in ("Left", "Right")), *_WHOLE, *_GAZE, *_NEVER,
]))  # fmt: skip


def coefficients(truth: Mapping[str, np.ndarray]) -> np.ndarray:
    """(T, 52) float32 in [0, 1], in the order of NAMES, of a clip's truth.

    Raises ClipError when the truth lacks units or gaze.
    """
    if missing := [name for name in ("units", "executed", "gaze_deg") if name not in truth]:
        raise ClipError(f"the truth lacks {', '.join(missing)}; render it again")
    executed, rows = truth["executed"], {name: n for n, name in enumerate(truth["units"].tolist())}
    found = {name: np.zeros(len(executed)) for name in NAMES}
    for place, side in enumerate(("Left", "Right")):
        for name, units in _SIDED.items():
            found[f"{name}{side}"] = _sum(units, rows, executed[..., place])
    for name, units in _WHOLE.items():
        found[name] = _sum(units, rows, executed.mean(axis=-1))
    for name, unit in _GAZE.items():
        axis, most = EYE_UNITS[unit]
        found[name] = truth["gaze_deg"][:, ("yaw", "pitch").index(axis)] / most
    return np.clip(np.stack([found[name] for name in NAMES], axis=1), 0, 1).astype(np.float32)


def _sum(units: Mapping[str, float], rows: Mapping[str, int], executed: np.ndarray) -> np.ndarray:
    parts = [weight * executed[:, rows[unit]] for unit, weight in units.items() if unit in rows]
    return np.sum(parts, axis=0) if parts else np.zeros(len(executed))
