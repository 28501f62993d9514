"""What years leave on a face that nothing moves: fine wrinkles, hollows, spots, uneven colour.

Painted once a person on the creases' chart (`avatars.crease_lines`): heights for the bump and a
factor a colour channel. Deeper folds are the creases themselves, which stay in old people
(`avatars.creases.resting`). Signs and their order in life follow Gunn et al. (PLoS One
2009;4:e8021) and Porcheron, Mauger & Russell (PLoS One 2013;8:e57985): pigment spots and sallow,
less even skin from the forties on, lips' lines and hollows from the fifties, all stronger in age.
"""

import json
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from avatars.crease_lines import SIZE, around, generator, press
from avatars.identity import Identity


class AgeMap(NamedTuple):
    """`height` (SIZE, SIZE) float32 mm, grooves negative; `tint` (SIZE, SIZE, 3) float32 in (0, 1]
    multiplies the skin's linear colour. Both are neutral at the chart's border."""

    height: np.ndarray
    tint: np.ndarray


# Shadows of hollows and of what hangs: paths on the own left, depth of shade, standard deviation.
_HOLLOWS = (
    (((17, 11), (26, 18), (36, 19), (44, 14)), 0.31, 3.2),  # below the eye bag
    (((19, 6), (28, 9), (38, 8)), 0.18, 3.0),  # the lower lid
    (((17, 37), (24, 46), (29, 54), (33, 63)), 0.26, 2.6),  # beside the fold of nose and lip
    (((26, 69), (29, 80), (32, 93)), 0.20, 3.4),  # in front of the jowl
    (((44, 44), (50, 56), (50, 68)), 0.18, 7.0),  # the hollow of the cheek
    (((64, -34), (68, -20), (66, -8)), 0.18, 7.0),  # the temple
    (((22, -7), (32, -9), (42, -6)), 0.16, 2.6),  # over the eye
)
# Fine lines: from box (across, down) (low, high) mm, running (across, down) mm, how many.
_FINE = (
    ((38, 62), (16, 60), (5, 9), 26),  # cheeks
    ((26, 46), (12, 24), (8, 3), 14),  # lower lids
    ((-18, 18), (44, 46), (0, 6), 18),  # upper lip
    ((-15, 15), (81, 83), (0, 5), 10),  # lower lip
    ((-50, 50), (-70, -30), (16, 0), 26),  # forehead
)
_FINE_MM, _FINE_DEPTH = 0.7, 0.5
_SPOTS = 90  # of a light skin at 90 years
_PIGMENT = np.array([0.62, 0.95, 1.1])  # melanin takes blue most, then green
_BLOOD = np.array([0.1, 1.0, 0.9])


def paint(identity: Identity) -> AgeMap:
    """The marks of a person's years, their own: as repeatable as `crease_lines.paint`."""
    return _painted(json.dumps(identity.row(), sort_keys=True), identity.age)


def worn(age: float) -> float:
    """How far skin has aged in [0, 1]: none before 26 years, all at 85."""
    return float(np.clip((age - 26) / 59, 0, 1) ** 0.7)


@lru_cache(maxsize=1)
def _painted(row: str, age: float) -> AgeMap:
    rng, years = generator("age" + row), worn(age)
    height = np.zeros((SIZE, SIZE), np.float32)
    shade = np.zeros((SIZE, SIZE), np.float32)
    _wrinkle(height, years, rng)
    _hollow(shade, years, rng)
    pigment = years * _spots(years, rng) + 0.16 * years * _mottle(10.0, rng)
    blood = 0.10 * years * _mottle(16.0, rng)
    grooves = 0.35 * np.clip(-height, 0, None)
    density = (shade + grooves)[..., None] + pigment[..., None] * _PIGMENT
    density = (density + blood[..., None] * _BLOOD) * _inside()[..., None]
    made = AgeMap(height * _inside(), np.exp(-density).astype(np.float32))
    for picture in made:
        picture.setflags(write=False)
    return made


def _wrinkle(height: np.ndarray, years: float, rng: np.random.Generator) -> None:
    for across, down, run, count in _FINE:
        for _ in range(round(years * count)):
            start = np.array([rng.uniform(*across), rng.uniform(*down)])
            way = np.array(run) * rng.uniform(0.7, 1.3, 2)
            depth = _FINE_DEPTH * years * rng.uniform(0.5, 1.2)
            for side in (1.0, -1.0) if across[0] > 0 else (1.0,):
                line = (start + np.outer([0.0, 0.5, 1.0], way)) * [side, 1.0]
                press(height, line, depth, _FINE_MM, rng)


def _hollow(shade: np.ndarray, years: float, rng: np.random.Generator) -> None:
    for path, depth, width in _HOLLOWS:
        for side in (1.0, -1.0):
            line = _dense(np.array(path, float) * [side, 1.0])
            block, distance, _ = around(line, 3 * width)
            near = np.exp(-(np.minimum(distance, 3 * width) ** 2) / (2 * width**2)) - np.exp(-4.5)
            shade[block] += years * depth * rng.uniform(0.75, 1.2) * near.astype(np.float32)


def _dense(path: np.ndarray) -> np.ndarray:
    """Points a millimetre apart along a broken line (n, 2)."""
    reach = np.r_[0, np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()]
    steps = np.arange(0, reach[-1], 1.0)
    return np.stack([np.interp(steps, reach, column) for column in path.T], axis=1)


def _spots(years: float, rng: np.random.Generator) -> np.ndarray:
    """(SIZE, SIZE) of solar lentigines: soft discs of 1 to 4 mm, more at the temples and cheeks."""
    spots = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(round(_SPOTS * years * rng.uniform(0.5, 1.3))):
        side = rng.choice([-1.0, 1.0])
        middle = np.array([side * rng.uniform(12, 72), rng.uniform(-70, 80)])
        radius = rng.uniform(0.7, 2.2) * rng.uniform(0.7, 1.3)
        block, distance, _ = around(middle[None], 2 * radius)
        disc = 1 / (1 + np.exp((np.minimum(distance, 9.0) - radius) / (0.2 * radius)))
        spots[block] += rng.uniform(0.15, 0.55) * disc.astype(np.float32)
    return np.minimum(spots, 0.7)


def _mottle(grain: float, rng: np.random.Generator) -> np.ndarray:
    """(SIZE, SIZE) smooth noise in [0, 1] with patches of `grain` pixels."""
    noise = gaussian_filter(rng.normal(size=(SIZE, SIZE)), grain)
    return np.asarray(np.clip(0.5 + noise / (3 * noise.std()), 0, 1), dtype=np.float32)


@lru_cache(maxsize=1)
def _inside() -> np.ndarray:
    """(SIZE, SIZE) 1 inside, falling smoothly to 0 over the chart's last 15 mm."""
    near = np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]) / 30.0
    edge = np.clip(near, 0, 1) ** 2 * (3 - 2 * np.clip(near, 0, 1))
    return np.asarray(np.outer(edge, edge), dtype=np.float32)
