"""Who wears which hair: draws by sex, age and ethnic group.

Tables hold how often a style is worn among people of a sex and group, by age. They are round
numbers of what one sees in a street, not a survey: they keep every group among its own styles.
"""

from typing import Any

import numpy as np

# Shares out of 100 in three ages: up to 40, up to 65, above.
_Table = dict[str, tuple[int, int, int]]
_STYLES: dict[tuple[str, str], _Table] = {
    ("female", "african"): {
        "coily": (24, 30, 36), "topknot": (16, 10, 4), "tied": (5, 5, 4), "curly": (26, 28, 30),
        "long": (14, 6, 0), "bob": (10, 14, 16), "crop": (2, 6, 10),
    },
    ("female", "asian"): {
        "long": (40, 20, 0), "bob": (30, 36, 34), "tied": (5, 4, 4), "topknot": (9, 6, 0),
        "parted": (14, 20, 26), "messy": (2, 4, 6), "curly": (0, 10, 30),
    },
    ("female", "caucasian"): {
        "long": (40, 20, 4), "bob": (27, 34, 36), "tied": (4, 4, 4), "topknot": (9, 6, 2),
        "parted": (10, 18, 20), "curly": (10, 14, 28), "messy": (0, 4, 6),
    },
    ("male", "african"): {
        "crop": (44, 42, 40), "coily": (30, 18, 12), "shaved": (20, 20, 14), "curly": (6, 2, 0),
        "balding": (0, 18, 34),
    },
    ("male", "asian"): {
        "short": (36, 40, 32), "messy": (22, 8, 4), "crop": (18, 18, 16), "swept": (14, 16, 14),
        "shaved": (4, 4, 4), "long": (3, 0, 0), "tied": (3, 0, 0), "balding": (0, 14, 30),
    },
    ("male", "caucasian"): {
        "short": (30, 32, 26), "crop": (20, 18, 14), "messy": (16, 8, 4), "swept": (12, 14, 14),
        "curly": (12, 3, 0), "shaved": (6, 8, 6), "long": (4, 0, 0), "balding": (0, 14, 32),
    },
}  # fmt: skip
_BEARDS: _Table = {
    "none": (52, 58, 66), "stubble": (26, 16, 8), "full": (11, 12, 12), "moustache": (4, 7, 9),
    "goatee": (7, 7, 5),
}  # fmt: skip
# Millimetres, but for `thickness`, a factor: where brows lie by sex (`avatars.hairface.brow`).
# Women's are thinner, higher and more arched (Burton, Bruce & Dench 1993).
_BROWS = {
    "female": {"thickness": (0.5, 0.95), "height": (-0.5, 2.0), "arch": (-0.3, 2.2),
               "slant": (-2.0, 0.4), "apart": (-1.0, 2.5)},
    "male": {"thickness": (0.7, 1.25), "height": (-0.4, 1.6), "arch": (-1.0, 1.2),
             "slant": (-2.2, 0.3), "apart": (-1.5, 2.0)},
}  # fmt: skip
# Linear RGB: black, dark brown, brown, light brown, blond, red.
_COLOURS = {
    "black": (0.012, 0.010, 0.009), "dark": (0.030, 0.019, 0.013), "brown": (0.072, 0.040, 0.022),
    "light": (0.16, 0.095, 0.05), "blond": (0.36, 0.24, 0.12), "red": (0.22, 0.066, 0.022),
}  # fmt: skip
_COLOUR_SHARES = {
    "african": (75, 25, 0, 0, 0, 0), "asian": (75, 23, 2, 0, 0, 0),
    "caucasian": (6, 22, 30, 20, 17, 5),
}  # fmt: skip


def draw(sex: str, ethnicity: str, age: float, rng: np.random.Generator) -> dict[str, Any]:
    """The hair fields of an identity; always the same number of draws."""
    column = 0 if age <= 40 else 1 if age <= 65 else 2
    style = _pick({n: row[column] for n, row in _STYLES[sex, ethnicity].items()}, rng)
    beard = _pick({name: row[column] for name, row in _BEARDS.items()}, rng)
    colours = _COLOUR_SHARES[ethnicity]
    colour = np.array(_COLOURS[_pick(dict(zip(_COLOURS, colours, strict=True)), rng)])
    loss = np.clip((age - 25) / 50, 0, 1) * (0.75 if sex == "male" else 0.12)
    thinning = (0.3 if sex == "male" else 0.12) * np.clip((age - 45) / 45, 0, 1)
    return {
        "hair": style,
        "hair_length": _rounded(rng.uniform(0.8, 1.25)),
        "hair_density": _rounded(rng.uniform(0.9, 1.1) - thinning),
        "hair_colour": [_rounded(c) for c in colour * rng.uniform(0.8, 1.25)],
        "hair_grey": _rounded(np.clip((age - 42) / 36 + rng.normal(0, 0.18), 0, 1)),
        "hairline": _rounded(np.clip(loss * rng.uniform(0.1, 1.3), 0, 1)),
        "parting": _rounded(rng.choice([-1.0, 1.0]) * rng.uniform(0.05, 0.35)),
        "brow_density": _rounded((1.0 if sex == "male" else 0.75) * rng.uniform(0.75, 1.25)),
        "brow": {name: _rounded(rng.uniform(*ends)) for name, ends in _BROWS[sex].items()},
        "beard": beard if sex == "male" else "none",
    }


def _pick(shares: dict[str, int], rng: np.random.Generator) -> str:
    weights = np.array(list(shares.values()), float)
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def _rounded(value: float) -> float:
    return round(float(value), 4)
