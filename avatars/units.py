"""The action units of the Facial Action Coding System (Ekman, Friesen & Hager 2002).

Each facial unit is a weighted set of morph targets; left and right are the person's own.
Intensity 1 is FACS level E. Head units 51-58 and eye units 61-64 move joints, not targets.
Where each unit's targets come from, and why: `docs/units.md`.
"""

from dataclasses import dataclass

from avatars.errors import AvatarError

SIDES = ("left", "right")


@dataclass(frozen=True)
class Part:
    """A target at unit intensity.

    `split`: "side" when the name holds {S} or {s} (left/right or l/r), "own" when it holds {Side}
    (Left/Right) and what it leaks over the midline is taken away, "mask" when a bilateral target
    is cut at the midline, "none" when the muscle is not paired.
    """

    target: str
    weight: float
    split: str


@dataclass(frozen=True)
class Unit:
    """One facial action unit; `paired` units can be driven on one side."""

    name: str
    meaning: str
    paired: bool
    parts: tuple[Part, ...]


def _unit(name: str, meaning: str, paired: bool, *parts: tuple[str, float]) -> Unit:
    return Unit(name, meaning, paired, tuple(_part(t, w, paired) for t, w in parts))


def _part(target: str, weight: float, paired: bool) -> Part:
    if "{Side}" in target:
        return Part(target, weight, "own")
    if "{" in target:
        return Part(target, weight, "side")
    return Part(target, weight, "mask" if paired else "none")


# `x:` marks an expression target, kept per ethnicity and mixed as the person is; `f:` a sculpted
# face unit, the same for all; the others are detail targets.
_TABLE = (
    _unit("1", "inner brow raiser", True,
          ("x:eyebrows-{S}-inner-up", 2.0), ("f:browInnerUp", 0.5)),
    _unit("2", "outer brow raiser", True,
          ("x:eyebrows-{S}-extern-up", 1.2), ("x:eyebrows-{S}-up", 0.5)),
    _unit("4", "brow lowerer", True, ("f:browDown{Side}", 1.0)),
    _unit("5", "upper lid raiser", True, ("f:eyeWide{Side}", 1.3)),
    _unit("6", "cheek raiser", True,
          ("f:cheekSquint{Side}", 1.2), ("x:eye-{S}-slit", 0.35), ("eyes/{s}-eye-bag-incr", 0.5)),
    _unit("7", "lid tightener", True, ("x:eye-{S}-slit", 0.75)),
    _unit("9", "nose wrinkler", True,
          ("f:noseSneer{Side}", 1.6), ("x:nose-{S}-elevation", 1.2), ("x:nose-compression", 0.8),
          ("f:browDown{Side}", 0.35)),
    _unit("10", "upper lip raiser", True,
          ("f:mouthUpperUp{Side}", 0.5), ("x:mouth-elevation", 0.5)),
    _unit("12", "lip corner puller", True, ("f:mouthSmile{Side}", 1.0)),
    _unit("14", "dimpler", True,
          ("f:mouthDimple{Side}", 0.7), ("mouth/mouth-dimples-in", 1.5)),
    # The sculpted corners alone read as a pucker; drawn aside as well, lips thin as they sink.
    _unit("15", "lip corner depressor", True,
          ("f:mouthFrown{Side}", 1.4), ("f:mouthStretch{Side}", 0.65)),
    _unit("16", "lower lip depressor", True,
          ("x:mouth-depression-retraction", 0.9), ("x:mouth-elevation", -0.8)),
    _unit("17", "chin raiser", False,
          ("f:mouthShrugLower", 1.2), ("f:mouthShrugUpper", 0.4),
          ("chin/chin-prominent-incr", 0.3)),
    _unit("18", "lip pucker", False, ("f:mouthPucker", 1.0)),
    _unit("20", "lip stretcher", True,
          ("f:mouthStretch{Side}", 0.9), ("x:mouth-retraction", 0.4), ("x:neck-platysma", 0.35)),
    _unit("22", "lip funneler", False, ("f:mouthFunnel", 1.0)),
    _unit("23", "lip tightener", False, ("f:mouthRollLower", 1.0), ("f:mouthRollUpper", 1.0)),
    # The sculpted press lifts the corners; a little of the smile is taken back.
    _unit("24", "lip pressor", False,
          ("f:mouthPressLeft", 1.0), ("f:mouthPressRight", 1.0),
          ("f:mouthRollLower", 0.15), ("f:mouthRollUpper", 0.15),
          ("f:mouthSmileLeft", -0.22), ("f:mouthSmileRight", -0.22)),
    # Lips alone part by 3 mm, which 128 px hide; the lower lip sinks and the jaw gives a little.
    _unit("25", "lips part", False,
          ("f:mouthLowerDownLeft", 1.8), ("f:mouthLowerDownRight", 1.8), ("f:jawOpen", 0.18)),
    _unit("26", "jaw drop", False, ("f:jawOpen", 0.45)),
    _unit("27", "mouth stretch", False, ("f:jawOpen", 1.0)),
    _unit("41", "lid droop", True, ("x:eye-{S}-closure", 0.45)),
    _unit("43", "eyes closed", True, ("x:eye-{S}-closure", 1.0)),
)  # fmt: skip

UNITS: dict[str, Unit] = {unit.name: unit for unit in _TABLE}

# Head and eye units as (axis, amount at intensity 1): degrees about `pose.HEAD_AXES` and
# `GAZE_AXES`, millimetres for "forward".
# 38 degrees is the widest turn at which both eyes of every tried identity stay in view.
HEAD_UNITS = {
    "51": ("yaw", 38.0), "52": ("yaw", -38.0), "53": ("pitch", 25.0), "54": ("pitch", -25.0),
    "55": ("roll", 22.0), "56": ("roll", -22.0),
    "57": ("forward", 35.0), "58": ("forward", -25.0),
}  # fmt: skip
EYE_UNITS = {
    "61": ("yaw", 30.0),
    "62": ("yaw", -30.0),
    "63": ("pitch", 22.0),
    "64": ("pitch", -28.0),
}


def require(name: str, side: str = "both", intensity: float = 1.0) -> None:
    """Raise AvatarError unless the unit exists, may take that side, and 0 <= intensity <= 1."""
    if name not in UNITS and name not in HEAD_UNITS and name not in EYE_UNITS:
        known = ", ".join([*UNITS, *HEAD_UNITS, *EYE_UNITS])
        raise AvatarError(f"there is no action unit '{name}'; known units: {known}")
    if side not in ("both", *SIDES):
        raise AvatarError(f"action unit {name} has side '{side}'; use left, right or both")
    if side != "both" and not (name in UNITS and UNITS[name].paired):
        raise AvatarError(f"action unit {name} is not paired and takes no side, got '{side}'")
    if not 0.0 <= intensity <= 1.0:
        raise AvatarError(f"action unit {name} has intensity {intensity}; it must be in [0, 1]")
