"""Styles that hair is worn in, as data, and who wears which."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from avatars.errors import AvatarError
from avatars.hairroots import above_hairline

_EDGE = 0.12  # dm over which a hairline thins out
_FRINGE = 7.55  # dm: above it on the base mesh a bald crown is bare


class Style(NamedTuple):
    """How one style grows; lengths in decimetres, the rest shares without unit.

    `strands` of `joints` points each; `length` at the crown, times `taper` at the lowest hairline;
    `lift` how far a strand leaves along the skin's normal, `bend` how fast it turns where the
    style's flow goes, `gravity` what pulls its tip down; `layer` how thick the hair lies on the
    head and `hug` how strongly it is held there. The flow: away from the `whorl`, along `comb`
    (x left, y up, z forwards), apart from the parting by `part`, towards the knot by `tie`.
    `curl` is the radius and `turns` the windings a strand; `clump` draws `per` strands together.
    """

    strands: int
    joints: int
    length: float
    taper: float = 0.4
    lift: float = 0.4
    bend: float = 0.4
    gravity: float = 0.1
    layer: float = 0.12
    hug: float = 0.2
    whorl: float = 1.0
    comb: tuple[float, float, float] = (0.0, 0.0, 0.0)
    part: float = 0.0
    tie: float = 0.0
    curl: float = 0.0
    turns: float = 0.0
    clump: float = 0.35
    per: int = 30
    frizz: float = 0.05
    radius: float = 0.2  # mm
    tip: float = 0.35  # of its radius that a strand's end keeps
    hem: float = -9.0  # dm above the chin where the hair is cut
    knot: float = 0.5  # height of the knot, from nape to crown
    crown: float = 1.0  # share of roots kept on the top of the head
    shade: float = 0.7  # of the hair's colour that the scalp takes on


STYLES = {
    "shaved": Style(
        5000, 3, 0.035, taper=0.8, lift=0.7, layer=0.02, hug=0.0, clump=0.0, radius=0.12,
        shade=0.4,
    ),
    "crop": Style(
        6000, 4, 0.12, lift=0.4, layer=0.05, clump=0.15, comb=(0.2, 0, 0.4), radius=0.17,
        shade=0.55,
    ),
    "short": Style(
        5200, 7, 0.46, taper=0.13, lift=0.45, bend=0.5, layer=0.2, hug=0.3, comb=(0.9, 0, 0.1),
        clump=0.5, per=40, frizz=0.04,
    ),
    "messy": Style(
        5000, 8, 0.5, taper=0.16, lift=0.5, bend=0.45, layer=0.22, hug=0.25, clump=0.8, per=70,
        comb=(-0.5, 0.1, 0.4),
    ),
    "swept": Style(
        5200, 8, 0.75, taper=0.18, lift=0.45, bend=0.6, layer=0.2, hug=0.3, whorl=0.1,
        comb=(0.25, 0, -1.2), clump=0.5, per=50, frizz=0.04,
    ),
    "curly": Style(
        4400, 12, 0.72, taper=0.5, lift=0.55, bend=0.25, gravity=0.25, layer=0.24, curl=0.085,
        turns=2.2, clump=0.75, per=40, frizz=0.05, radius=0.22,
    ),
    "coily": Style(
        4800, 8, 0.27, taper=0.75, lift=0.95, bend=0.03, gravity=0.0, layer=0.2, hug=0.0,
        curl=0.035, turns=2.0, clump=0.5, per=20, frizz=0.07, radius=0.23, tip=0.8,
    ),
    "parted": Style(
        4800, 11, 1.5, taper=0.75, lift=0.2, bend=0.6, gravity=0.5, layer=0.16, hug=0.4,
        whorl=0.15, comb=(0, -0.3, -0.45), part=1.0, hem=0.55, clump=0.5, per=50, frizz=0.03,
    ),
    "bob": Style(
        4700, 13, 2.2, taper=0.8, lift=0.2, bend=0.6, gravity=0.6, layer=0.2, hug=0.4, whorl=0.2,
        comb=(0, -0.3, -0.25), part=1.0, hem=0.02, clump=0.5, per=60, frizz=0.02,
    ),
    "long": Style(
        4400, 18, 3.6, taper=0.85, lift=0.15, bend=0.6, gravity=0.6, layer=0.2, hug=0.4, whorl=0.2,
        comb=(0, -0.3, -0.25), part=1.0, hem=-1.2, clump=0.5, per=60, frizz=0.02, radius=0.26,
    ),
    "tied": Style(
        5000, 9, 1.3, taper=1.0, lift=0.05, bend=0.8, gravity=0.0, layer=0.06, hug=0.7, whorl=0.0,
        tie=1.0, knot=0.45, clump=0.3, per=40, frizz=0.02,
    ),
    "topknot": Style(
        5000, 9, 1.4, taper=1.0, lift=0.05, bend=0.8, gravity=0.0, layer=0.06, hug=0.7, whorl=0.0,
        tie=1.0, knot=0.93, clump=0.3, per=40, frizz=0.02,
    ),
    "balding": Style(
        4500, 5, 0.19, taper=0.7, lift=0.4, layer=0.06, comb=(0, 0, -0.4), clump=0.3, crown=0.02,
    ),
}  # fmt: skip


def require(name: str) -> Style:
    """The style of a name; AvatarError with the nearest name for an unknown one."""
    if name not in STYLES:
        raise AvatarError(
            f"there is no hair style '{name}'; the nearest is '{nearest(name, STYLES)}'"
        )
    return STYLES[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that reads most like `name`."""
    return difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]


def kept(places: np.ndarray, style: Style, recession: float) -> np.ndarray:
    """(n,) share in [0, 1] of hair that grows at `places` (n, 3) of the base mesh in a style."""
    edge = np.clip(above_hairline(places, recession) / _EDGE, 0, 1)
    ahead = np.clip(places[:, 2] - 0.9, 0, None)  # the wreath of hair is lower before the ears
    top = np.clip((places[:, 1] - _FRINGE + 0.9 * ahead) / 0.3, 0, 1)
    return np.asarray(edge * (1 - (1 - style.crown) * top))
