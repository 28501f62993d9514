"""The colour and gloss of a face at half a millimetre: what a 512 px skin of a whole body lacks.

Painted once a clip on the creases' chart: ruddy cheeks and nose, blotches, pores, an oily
forehead and nose, wet lid margins; `signs` paint the sick face into the same picture, so that
none of it costs a frame anything.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.draw import polygon2mask

from avatars import crease_lines, creases, landmarks
from avatars.basemesh import BaseMesh
from avatars.crease_lines import SIZE
from avatars.identity import Identity

_PIXEL = 190.0 / SIZE  # mm
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_RUDDY = np.array([1.08, 0.90, 0.87])
_SALLOW = np.array([1.01, 1.0, 0.93])
_SHADED = np.array([0.90, 0.86, 0.90])  # thin skin below the eyes
# Women's lips and lid margins stand out more from their skin (Russell, Perception 2009;38:1211-19).
_WOMENS_LIPS = np.array([0.90, 0.62, 0.66])
_WOMENS_LIDS = np.array([0.42, 0.38, 0.38])
# Chroma of skin, linear RGB over luminance, at a dark and a light end of luminance, near what skin
# types VI and II are drawn with: some textures, old ones most, are redder than skin (looked at).
_LOCUS = {0.05: (1.95, 0.77, 0.42), 0.45: (1.50, 0.89, 0.60)}
_CHROMA = np.array(list(_LOCUS.values())).T
_BALANCED = 0.65  # of the way a texture goes there; the rest is its own
_WARM = np.array([0.99, 1.015, 0.90])  # golden, at warmth 1; its inverse is rosy
ROUGH, WET = 0.50, 0.16  # roughness of dry skin and of a film of water


class Regions(NamedTuple):
    """Soft masks (SIZE, SIZE) in [0, 1] of one and the same chart for all people."""

    lips: np.ndarray
    around_mouth: np.ndarray
    margins: np.ndarray  # the lids' wet edges
    below_eyes: np.ndarray
    cheeks: np.ndarray
    nose: np.ndarray
    forehead: np.ndarray
    inside: np.ndarray  # 1, falling to 0 at the chart's border


def paint(identity: Identity, place: Regions) -> np.ndarray:
    """(SIZE, SIZE, 4) float32: factor of the skin's linear RGB, and roughness.

    Blotches and pores are the person's own, from a generator seeded with the identity's values.
    """
    row = json.dumps(identity.row(), sort_keys=True)
    rng = np.random.default_rng(list(hashlib.sha256(b"complexion" + row.encode()).digest()))
    blotches, uneven, pores = (_noise(rng, widths) for widths in ((14, 6), (9, 4), (1.4, 0.7)))
    colour = np.ones((SIZE, SIZE, 3))
    ruddy = np.clip(0.8 * place.cheeks + place.nose, 0, 1) * rng.uniform(0.3, 1.0)
    colour *= tint(_RUDDY, ruddy * (1 + 0.35 * blotches) + 0.17 * blotches)
    colour *= tint(_SALLOW, place.forehead * rng.uniform(0.2, 1.0))
    colour *= tint(_SHADED, place.below_eyes * rng.uniform(0.2, 0.8))
    colour *= (1 + 0.022 * uneven + 0.022 * pores * (1 - place.lips))[..., None]
    oily = np.clip(place.nose + 0.7 * place.forehead, 0, 1) * rng.uniform(0.3, 1.0)
    if identity.sex == "female":
        colour *= tint(_WOMENS_LIPS, place.lips * rng.uniform(0.3, 1.0))
        colour *= tint(_WOMENS_LIDS, place.margins)
    rough = ROUGH - 0.14 * oily - 0.12 * place.lips + 0.05 * uneven + 0.02 * pores
    rough += (WET - rough) * place.margins
    colour *= tint(np.array([1.05, 0.82, 0.80]), place.margins)
    painted = np.dstack([colour, np.clip(rough, WET, 0.7)])
    neutral = np.array([1.0, 1.0, 1.0, ROUGH])
    return np.asarray(neutral + (painted - neutral) * place.inside[..., None], np.float32)


def tint(colour: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(..., 3) factor between none and `colour` (3,), by `share` (...)."""
    return np.asarray(1 + share[..., None] * (colour - 1))


@lru_cache(maxsize=24)  # eighteen skins there are
def _texture(path: Path) -> tuple[float, float, float]:
    """Median linear RGB of the face's square in a skin's texture."""
    pixels = iio.imread(path)[..., :3] / 255.0
    height, width = pixels.shape[:2]
    (u, v), extent = crease_lines.ORIGIN, crease_lines.EXTENT
    rows = slice(int((1 - v - extent) * height), int((1 - v) * height))
    face = pixels[rows, int(u * width) : int((u + extent) * width)]
    linear = np.where(face <= 0.04045, face / 12.92, ((face + 0.055) / 1.055) ** 2.4)
    red, green, blue = np.median(linear.reshape(-1, 3), axis=0)
    return float(red), float(green), float(blue)


def albedo(texture: Path, identity: Identity) -> float:
    """Luminance of the person's skin under white light, in (0, 1]: what a camera meters."""
    light = float(np.array(_texture(texture)) @ _LUMA)
    return light * (1 + identity.tone) * (1 + 0.12 * identity.pallor)


def cast(texture: Path, identity: Identity) -> np.ndarray:
    """(3,) factor of all skin's linear RGB that keeps its luminance.

    It takes a texture's cast away and gives the person theirs, rosy or golden.
    """
    skin = np.array(_texture(texture))
    light = skin @ _LUMA
    usual = np.array([np.interp(light, list(_LOCUS), channel) for channel in _CHROMA])
    factor = (usual * light / skin) ** _BALANCED * _WARM**identity.warmth
    return np.asarray(factor * light / (factor * skin @ _LUMA))


def regions(base: BaseMesh) -> Regions:
    """The masks, drawn around the landmarks of the base mesh."""
    marks = _marks(base)
    lips = _soft(_filled(marks[48:60]), 0.8)
    mouth = marks[48:60].mean(axis=0)
    eyes = [marks[36:42], marks[42:48]]
    holes = sum(_filled(eye) for eye in eyes)
    edge = distance_transform_edt(holes == 0) * _PIXEL
    margins = np.exp(-0.5 * (edge / 0.7) ** 2)
    below = sum(
        _blob(np.add(eye.mean(axis=0), [-1.5 * np.sign(eye[:, 0].mean()), 13.0]), (15.0, 6.0))
        for eye in eyes
    )
    tip = marks[30]
    nose = _blob(tip, (11, 9)) + 0.5 * _blob(np.add(tip, [0, -20]), (6, 14))
    cheeks = sum(_blob((side * 41.0, tip[1] + 6), (17, 14)) for side in (1, -1))
    across, down = _grid()
    border = np.minimum(95 - np.abs(across), np.minimum(down + 80, 110 - down))
    return Regions(
        lips=lips,
        around_mouth=_blob(mouth, (30, 17)) * (1 - lips),
        margins=margins,
        below_eyes=np.clip(below, 0, 1) * (edge > 0),
        cheeks=np.clip(cheeks, 0, 1),
        nose=np.clip(nose, 0, 1),
        forehead=_blob((0.0, -45.0), (34, 16)),
        inside=np.clip(border / 14, 0, 1),
    )


def _marks(base: BaseMesh) -> np.ndarray:
    """(68, 2) mm across and down of the landmarks on the chart."""
    across, down = creases.chart(base)
    return landmarks.locate(np.stack([across, down, np.zeros_like(down)], axis=1))[:, :2]


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """(SIZE, 1) mm across and (1, SIZE) mm down of the chart's pixels."""
    step = (np.arange(SIZE) + 0.5) * _PIXEL
    return (step - 95.0)[:, None], (step - 80.0)[None]


def _filled(points: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) 1 inside the polygon of `points` (n, 2) mm, 0 outside."""
    pixels = (points - [-95.0, -80.0]) / _PIXEL - 0.5
    return polygon2mask((SIZE, SIZE), pixels).astype(float)


def _soft(mask: np.ndarray, mm: float) -> np.ndarray:
    return np.asarray(gaussian_filter(mask, mm / _PIXEL))


def _blob(middle: tuple[float, float] | np.ndarray, widths: tuple[float, float]) -> np.ndarray:
    """(SIZE, SIZE) Gaussian around `middle` (across, down) with standard deviations, mm."""
    across, down = _grid()
    r2 = ((across - middle[0]) / widths[0]) ** 2 + ((down - middle[1]) / widths[1]) ** 2
    return np.asarray(np.exp(-0.5 * r2))


def _noise(rng: np.random.Generator, widths: tuple[float, ...]) -> np.ndarray:
    """(SIZE, SIZE) smooth noise of unit spread, a sum over `widths` in mm."""
    total = np.zeros((SIZE, SIZE))
    for width in widths:
        layer = gaussian_filter(rng.normal(size=(SIZE, SIZE)), width / _PIXEL, mode="wrap")
        total += layer / layer.std()
    return np.asarray(total / total.std())
