"""The action units of the Facial Action Coding System (Ekman, Friesen & Hager 2002).

Each facial unit is a weighted set of morph targets; left and right are the person's own.
Intensity 1 is FACS level E. Head units 51-58 and eye units 61-64 move joints, not targets.
"""

from dataclasses import dataclass

from avatars.errors import AvatarError

SIDES = ("left", "right")


@dataclass(frozen=True)
class Part:
    """A target at unit intensity.

    `split`: "side" when the name holds {S} or {s} (left/right or l/r), "mask" when a bilateral
    target is cut at the midline, "none" when the muscle is not paired.
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
    if "{" in target:
        return Part(target, weight, "side")
    return Part(target, weight, "mask" if paired else "none")


# Weights are the measured facts' but for unit 25's; `x:` marks an
# expression target, kept per ethnicity and mixed as the person is; the others are detail targets.
_TABLE = (
    _unit("1", "inner brow raiser", True, ("x:eyebrows-{S}-inner-up", 2.2)),
    _unit("2", "outer brow raiser", True,
          ("x:eyebrows-{S}-extern-up", 1.2), ("x:eyebrows-{S}-up", 0.5)),
    _unit("4", "brow lowerer", True, ("x:eyebrows-{S}-down", 1.2)),
    _unit("5", "upper lid raiser", True, ("x:eye-{S}-opened-up", 0.8)),
    _unit("6", "cheek raiser", True,
          ("x:eye-{S}-slit", 0.30), ("cheek/{s}-cheek-trans-up", 1.2),
          ("cheek/{s}-cheek-volume-incr", 0.4), ("eyes/{s}-eye-bag-incr", 0.8)),
    _unit("7", "lid tightener", True, ("x:eye-{S}-slit", 0.75)),
    _unit("9", "nose wrinkler", True,
          ("x:nose-{S}-elevation", 1.6), ("x:nose-compression", 1.0),
          ("x:mouth-elevation", 0.25), ("x:eyebrows-{S}-down", 0.35)),
    _unit("10", "upper lip raiser", True, ("x:mouth-elevation", 0.9)),
    _unit("12", "lip corner puller", True, ("x:mouth-corner-puller", 1.0)),
    _unit("14", "dimpler", True, ("x:mouth-retraction", 0.6), ("mouth/mouth-dimples-in", 1.5)),
    _unit("15", "lip corner depressor", True, ("x:mouth-depression", 1.0)),
    _unit("16", "lower lip depressor", True,
          ("x:mouth-depression-retraction", 0.9), ("x:mouth-elevation", -0.8)),
    _unit("17", "chin raiser", False,
          ("x:mouth-eversion", 0.6), ("x:mouth-depression", 0.45),
          ("chin/chin-prominent-incr", 0.4)),
    _unit("18", "lip pucker", False, ("x:mouth-pursing", 0.8)),
    _unit("20", "lip stretcher", True, ("x:mouth-retraction", 1.0), ("x:neck-platysma", 0.35)),
    _unit("22", "lip funneler", False, ("x:mouth-protusion", 0.6), ("x:mouth-pursing", 0.3)),
    _unit("23", "lip tightener", False,
          ("mouth/mouth-upperlip-volume-decr", 1.3), ("mouth/mouth-lowerlip-volume-decr", 1.3),
          ("mouth/mouth-scale-horiz-decr", 0.25)),
    _unit("24", "lip pressor", False,
          ("x:mouth-compression", 0.5), ("x:mouth-depression", 0.4),
          ("mouth/mouth-upperlip-height-decr", 0.6), ("mouth/mouth-lowerlip-height-decr", 0.6)),
    # The target alone parts lips by 3 mm, which 128 px hide; with a touch of jaw it is 9-14 mm.
    _unit("25", "lips part", False, ("x:mouth-parling", 1.8), ("x:mouth-open", 0.12)),
    _unit("26", "jaw drop", False, ("x:mouth-open", 0.35)),
    _unit("27", "mouth stretch", False, ("x:mouth-open", 0.9)),
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
