"""What years and sex do to a face's shape: detail targets beyond MakeHuman's macro targets.

The macro targets keep old faces firm and both sexes near each other. Sagging follows Albert,
Ricanek & Patterson (Forensic Sci Int 2007;172:1-9): cheeks fall and hollow, jowls and a double
chin gather, lids droop, lips thin, nose tip sinks, ears grow. Sex follows Burton, Bruce & Dench
(Perception 1993;22:153-176): brow ridge, jaw, chin, lips, brows and nose tell it.
"""

import numpy as np

from avatars.identity import Identity

# Weight of each detail in full age; grows from 30 on, all at 85. `{s}`: both sides alike.
_SAGGING = {
    "cheek/{s}-cheek-trans-down": 0.75, "cheek/{s}-cheek-inner-decr": 0.5,
    "cheek/{s}-cheek-volume-decr": 0.25,
    "chin/chin-jaw-drop-incr": 0.45, "neck/neck-double-incr": 0.55,
    "eyes/{s}-eye-eyefold-down": 0.5, "eyes/{s}-eye-height3-decr": 0.25,
    "eyes/{s}-eye-height2-decr": 0.3, "eyes/{s}-eye-bag-incr": 0.8,
    "eyes/{s}-eye-corner2-down": 0.25,
    "mouth/mouth-upperlip-volume-decr": 0.7, "mouth/mouth-lowerlip-volume-decr": 0.55,
    "mouth/mouth-upperlip-height-decr": 0.35, "mouth/mouth-angles-down": 0.1,
    "mouth/mouth-laugh-lines-in": 0.6,
    "nose/nose-point-down": 0.4, "nose/nose-scale-vert-incr": 0.2,
    "ears/{s}-ear-scale-vert-incr": 0.4, "ears/{s}-ear-lobe-incr": 0.5,
    "forehead/forehead-temple-decr": 0.4, "eyebrows/eyebrows-trans-down": 0.15,
}  # fmt: skip
_FEMALE = {
    "eyebrows/eyebrows-trans-backward": 0.8, "eyebrows/eyebrows-trans-up": 0.45,
    "forehead/forehead-nubian-incr": 0.2,
    "chin/chin-width-decr": 0.5, "chin/chin-height-decr": 0.15, "chin/chin-prominent-decr": 0.2,
    "chin/chin-bones-decr": 0.4, "head/head-oval": 0.3,
    "eyes/{s}-eye-scale-incr": 0.4, "eyes/{s}-eye-height2-incr": 0.2,
    "cheek/{s}-cheek-bones-incr": 0.3,
    "mouth/mouth-upperlip-volume-incr": 0.5, "mouth/mouth-lowerlip-volume-incr": 0.5,
    "mouth/mouth-upperlip-height-incr": 0.2, "mouth/mouth-cupidsbow-incr": 0.4,
    "nose/nose-scale-horiz-decr": 0.4, "nose/nose-point-up": 0.2,
    "neck/neck-scale-horiz-decr": 0.4,
}  # fmt: skip
_MALE = {
    "eyebrows/eyebrows-trans-forward": 0.1, "chin/chin-width-incr": 0.3,
    "chin/chin-bones-incr": 0.35, "chin/chin-height-incr": 0.2, "neck/neck-scale-horiz-incr": 0.25,
    "mouth/mouth-upperlip-volume-decr": 0.2,
}  # fmt: skip
# The Asian macro targets leave so little of the eye that none of its white is seen (looked at).
_ASIAN = {"eyes/{s}-eye-height2-incr": 0.4, "eyes/{s}-eye-scale-incr": 0.15}


def aged(age: float) -> float:
    """How far a face has sagged in [0, 1]: none before 30 years, all at 85."""
    return float(np.clip((age - 30) / 55, 0, 1) ** 0.85)


def details(identity: Identity) -> dict[str, float]:
    """Detail weights that age and sex add to the person's own."""
    weights: dict[str, float] = {}
    sexual = _FEMALE if identity.sex == "female" else _MALE
    asian = identity.mix["asian"]
    for share, table in ((aged(identity.age), _SAGGING), (1.0, sexual), (asian, _ASIAN)):
        for template, weight in table.items():
            for name in {template.format(s=side) for side in "lr"}:
                weights[name] = weights.get(name, 0.0) + share * weight
    return weights
