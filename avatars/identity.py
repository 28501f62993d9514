"""Who a person is: age, sex, ethnicity mix, face shape, skin, eyes, hair, dress.

Margins are stratified: over the first n people of a seed, sexes, ethnic groups and age bands
are each within one of even (`docs/identities.md`).
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from avatars import hairwear
from avatars.errors import AvatarError

SEXES = ("female", "male")
ETHNICITIES = ("african", "asian", "caucasian")
AGE_BANDS = ((18, 40), (41, 65), (66, 90))  # years, both ends included

# Detail targets as (stem, low end, high end); a positive weight is the high end.
_MIDLINE = (
    ("head/head-scale-horiz", "decr", "incr"), ("head/head-scale-vert", "decr", "incr"),
    ("head/head-fat", "decr", "incr"), ("head/head-angle", "in", "out"),
    ("forehead/forehead-nubian", "decr", "incr"), ("forehead/forehead-scale-vert", "decr", "incr"),
    ("forehead/forehead-temple", "decr", "incr"), ("chin/chin-width", "decr", "incr"),
    ("chin/chin-height", "decr", "incr"), ("chin/chin-bones", "decr", "incr"),
    ("chin/chin-prominent", "decr", "incr"), ("chin/chin-cleft", "decr", "incr"),
    ("head/head-scale-depth", "decr", "incr"), ("forehead/forehead-trans", "backward", "forward"),
    ("eyebrows/eyebrows-angle", "down", "up"), ("eyebrows/eyebrows-trans", "down", "up"),
    ("nose/nose-scale-vert", "decr", "incr"),
    ("nose/nose-width2", "decr", "incr"), ("nose/nose-width3", "decr", "incr"),
    ("nose/nose-curve", "concave", "convex"), ("nose/nose-flaring", "decr", "incr"),
    ("nose/nose-base", "down", "up"), ("nose/nose-greek", "decr", "incr"),
    ("mouth/mouth-cupidsbow", "decr", "incr"),
    ("mouth/mouth-lowerlip-volume", "decr", "incr"),
    ("mouth/mouth-upperlip-volume", "decr", "incr"),
    ("mouth/mouth-philtrum-volume", "decr", "incr"), ("mouth/mouth-scale-depth", "decr", "incr"),
    ("nose/nose-scale-horiz", "decr", "incr"), ("nose/nose-scale-depth", "decr", "incr"),
    ("nose/nose-hump", "decr", "incr"), ("nose/nose-width1", "decr", "incr"),
    ("nose/nose-point", "down", "up"), ("nose/nose-volume", "decr", "incr"),
    ("mouth/mouth-scale-horiz", "decr", "incr"), ("mouth/mouth-lowerlip-height", "decr", "incr"),
    ("mouth/mouth-upperlip-height", "decr", "incr"), ("mouth/mouth-trans", "down", "up"),
    ("neck/neck-scale-horiz", "decr", "incr"), ("neck/neck-double", "decr", "incr"),
    ("chin/chin-prognathism", "decr", "incr"), ("chin/chin-jaw-drop", "decr", "incr"),
    ("nose/nose-trans", "down", "up"), ("nose/nose-point-width", "decr", "incr"),
    ("nose/nose-nostrils-width", "decr", "incr"), ("nose/nose-nostrils-angle", "down", "up"),
    ("nose/nose-septumangle", "decr", "incr"), ("mouth/mouth-scale-vert", "decr", "incr"),
    ("mouth/mouth-cupidsbow-width", "decr", "incr"),
    ("mouth/mouth-upperlip-width", "decr", "incr"),
    ("mouth/mouth-lowerlip-width", "decr", "incr"),
    ("neck/neck-scale-depth", "decr", "incr"),
)  # fmt: skip
_PAIRED = (
    ("eyes/{s}-eye-scale", "decr", "incr"), ("eyes/{s}-eye-height2", "decr", "incr"),
    ("eyes/{s}-eye-corner1", "down", "up"), ("eyes/{s}-eye-corner2", "down", "up"),
    ("eyes/{s}-eye-bag", "decr", "incr"), ("eyes/{s}-eye-eyefold", "down", "up"),
    ("eyes/{s}-eye-trans", "in", "out"), ("eyes/{s}-eye-epicanthus", "in", "out"),
    ("eyes/{s}-eye-trans", "down", "up"), ("eyes/{s}-eye-eyefold-angle", "down", "up"),
    ("cheek/{s}-cheek-inner", "decr", "incr"), ("cheek/{s}-cheek-trans", "down", "up"),
    ("cheek/{s}-cheek-volume", "decr", "incr"), ("cheek/{s}-cheek-bones", "decr", "incr"),
    ("ears/{s}-ear-scale", "decr", "incr"), ("ears/{s}-ear-wing", "decr", "incr"),
    ("ears/{s}-ear-lobe", "decr", "incr"),
)  # fmt: skip
# Head outlines, of which a face takes up to two: what tells strangers apart from afar.
_OUTLINES = (
    "head/head-oval", "head/head-round", "head/head-rectangular", "head/head-square",
    "head/head-triangular", "head/head-invertedtriangular", "head/head-diamond",
)  # fmt: skip
_OUTLINE = 0.6  # the largest weight of one
# Standard deviation of a detail weight, by the part of the face. Wider ones were looked at: mouths
# that speak no more, eyes half shut. Faces that fold over themselves `shape.neutral` draws back.
_SPREAD = {
    "head": 0.38, "forehead": 0.42, "cheek": 0.4, "ears": 0.4, "neck": 0.35, "eyebrows": 0.35,
    "nose": 0.38, "chin": 0.33, "mouth": 0.24, "eyes": 0.2,
    # Noses that stick out farther were beaks in profile: `volume` draws the tip out both ways.
    "nose/nose-volume": 0.15, "nose/nose-scale-depth": 0.23, "nose/nose-point": 0.23,
    "mouth/mouth-scale-horiz": 0.16, "mouth/mouth-trans": 0.35, "eyes/{s}-eye-trans": 0.32,
}  # fmt: skip
_LIMIT = 0.85
_ASYMMETRY = 0.07  # of paired details, left against right: seen only when looked for

_IRISES = ("brown", "brownlight", "blue", "green", "grey", "bluegreen")
_GOWNS = ((0.33, 0.50, 0.62), (0.42, 0.58, 0.50), (0.62, 0.66, 0.70), (0.35, 0.40, 0.58))


@dataclass(frozen=True)
class Identity:
    """A person as plain values; `age` in years, weights in target units, colours linear RGB.

    `hair` is a style of `avatars.hairstyles`, `hair_length` and `hair_density` scale it,
    `hair_grey` is the share of grey strands, `hairline` its recession in [0, 1], `parting` dm to
    the own left of the middle; `brow_density` scales the brows' hairs, `brow` says where they
    lie (`avatars.hairface.brow`); `beard` is one of `avatars.hairface`. `tone` lightens the skin,
    `warmth` in [-1, 1] turns it from rosy to golden.
    """

    age: float
    sex: str
    ethnicity: str
    mix: dict[str, float]
    muscle: float
    weight: float
    details: dict[str, float]
    skin: str
    tone: float
    warmth: float
    pallor: float
    iris: str
    eyelashes: str
    gown: list[float]
    hair: str
    hair_length: float
    hair_density: float
    hair_colour: list[float]
    hair_grey: float
    hairline: float
    parting: float
    brow_density: float
    brow: dict[str, float]
    beard: str

    def row(self) -> dict[str, Any]:
        """The identity as plain JSON values."""
        return asdict(self)

    @classmethod
    def parse(cls, row: dict[str, Any]) -> "Identity":
        """The identity of a row; AvatarError names a missing or unknown field."""
        names = {field.name for field in fields(cls)}
        if wrong := names ^ set(row):
            raise AvatarError(f"an identity row has missing or unknown fields: {sorted(wrong)}")
        return cls(**row)


def stratum(number: int, order: np.random.Generator) -> tuple[str, str, tuple[int, int]]:
    """Sex, ethnic group and age band of the person `number` of a population.

    A Latin square over blocks of three: every block holds each group and each band once,
    eighteen people hold every combination once. `order` shuffles which label comes first.
    """
    sexes, groups = order.permutation(SEXES), order.permutation(ETHNICITIES)
    bands = order.permutation(len(AGE_BANDS))
    band = AGE_BANDS[bands[(number + number // 3) % 3]]
    return str(sexes[number % 2]), str(groups[number % 3]), band


def sample_identity(number: int, order: np.random.Generator, rng: np.random.Generator) -> Identity:
    """Person `number` of a population: the stratum from `order`, everything else from `rng`."""
    sex, ethnicity, band = stratum(number, order)
    age = round(float(rng.uniform(*band)), 1)
    # The old African skins are brick red, and purple once that is taken out.
    oldest = "middleage" if ethnicity == "african" else "old"
    texture_age = "young" if age < 40 else "middleage" if age < 62 else oldest
    return Identity(
        age=age,
        sex=sex,
        ethnicity=ethnicity,
        mix=_mix(ethnicity, rng),
        muscle=_rounded(rng.uniform(0.15, 0.85)),
        weight=_rounded(np.clip(rng.normal(0.5, 0.22), 0.1, 0.95)),
        details=_details(rng),
        skin=f"{texture_age}_{ethnicity}_{sex}",
        tone=_rounded(rng.uniform(-0.3, 0.25)),
        warmth=_rounded(rng.uniform(-1.0, 1.0)),
        pallor=_rounded(rng.uniform(0.0, 0.35)),
        iris=str(rng.choice(_IRISES[: 6 if ethnicity == "caucasian" else 2])),
        eyelashes=f"eyelashes0{rng.integers(2, 5)}",
        gown=list(_GOWNS[rng.integers(len(_GOWNS))]),
        **hairwear.draw(sex, ethnicity, age, rng),
    )


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _mix(ethnicity: str, rng: np.random.Generator) -> dict[str, float]:
    main = rng.uniform(0.65, 1.0)
    rest = rng.dirichlet([1.0, 1.0]) * (1.0 - main)
    others = [name for name in ETHNICITIES if name != ethnicity]
    mix = {ethnicity: main, others[0]: rest[0], others[1]: rest[1]}
    return {name: _rounded(mix[name]) for name in ETHNICITIES}


def _details(rng: np.random.Generator) -> dict[str, float]:
    weights = {row: _draw(row[0], rng) for row in _MIDLINE}
    for stem, low, high in _PAIRED:
        shared = _draw(stem, rng)
        for side in "lr":
            skew = rng.normal(0.0, _ASYMMETRY)
            weights[stem.format(s=side), low, high] = np.clip(shared + skew, -_LIMIT, _LIMIT)
    outlines = rng.choice(_OUTLINES, 2, replace=False)
    named = {str(name): _rounded(rng.uniform(0.0, _OUTLINE)) for name in outlines}
    for (stem, low, high), weight in weights.items():
        named[f"{stem}-{high if weight > 0 else low}"] = _rounded(abs(weight))
    return named


def _draw(stem: str, rng: np.random.Generator) -> float:
    spread = _SPREAD.get(stem) or _SPREAD[stem.partition("/")[0]]
    return float(np.clip(rng.normal(0.0, spread), -_LIMIT, _LIMIT))
