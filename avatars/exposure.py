"""How bright a scene is made: a camera that meters the face, as every phone's does.

The light on a face is known before a render: lamps by their power, a panorama by its spherical
harmonics, over the directions that a face turns to the camera. So exposure costs no picture and
is the same on every machine.
"""

from typing import NamedTuple

import numpy as np

from avatars import optics, worlds
from avatars.scene import Light, Scene, black_body

LUMA = np.array([0.2126, 0.7152, 0.0722])  # of linear Rec.709
AMBIENT = np.array([0.95, 0.97, 1.0])  # an even, slightly cool light from everywhere
# Radiance of a face of `_USUAL` albedo: the film shows it at 130 of 255, as portraits do.
_FACE, _USUAL = 0.23, 0.25
# How much of a skin's darkness the camera takes back, in the exponent: at 0 dark faces drown, at 1
# all skins are one. Measured in docs/decisions/rendering.md.
_METERED = 0.35
_BALANCED = 0.6  # of a light's colour that white balance takes out


class Gains(NamedTuple):
    """What lamps and ambience (a factor) and the panorama (3,) linear RGB are multiplied by."""

    lamps: float
    world: np.ndarray


def gains(scene: Scene, albedo: float) -> Gains:
    """The gains at which a face of `albedo` (luminance, in (0, 1]) is well lit."""
    wanted = _FACE * (_USUAL / albedo) ** _METERED * 2.0**scene.exposure / _USUAL
    normals, shares = _facing(scene)
    lamps = shares @ _lamps(scene, normals) @ LUMA / np.pi
    if scene.world is None:
        return Gains(wanted / lamps, np.zeros(3))
    around = shares @ worlds.irradiance(scene.world.name, scene.world.turn, normals) / np.pi
    balance = (around @ LUMA / around) ** _BALANCED
    balance /= balance * around @ LUMA / (around @ LUMA)
    share = scene.world.share
    return Gains((1 - share) * wanted / lamps, balance * share * wanted / (around @ LUMA))


def _facing(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) directions of a face that the camera sees and (n,) how much of it each is."""
    azimuth, elevation = np.meshgrid(np.arange(-75, 76, 25), np.arange(-50, 51, 25))
    pairs = np.stack([azimuth.ravel(), elevation.ravel()], axis=1)
    normals = np.stack([optics.direction(*pair) for pair in pairs])
    towards = optics.direction(scene.camera.azimuth, scene.camera.elevation)
    shares = np.clip(normals @ towards, 0, None) * np.cos(np.radians(pairs[:, 1]))
    return normals, shares / shares.sum()


def _lamps(scene: Scene, normals: np.ndarray) -> np.ndarray:
    """(n, 3) irradiance of lamps and even ambience."""
    even = np.pi * scene.ambient * AMBIENT
    return np.asarray(even + sum((_lamp(light, normals) for light in scene.lights), np.zeros(3)))


def _lamp(light: Light, normals: np.ndarray) -> np.ndarray:
    """(n, 3) irradiance of a square lamp that points at the face, as of a point at its middle."""
    facing = np.clip(normals @ optics.direction(light.azimuth, light.elevation), 0, None)
    strength = light.watts / (np.pi * light.distance**2)
    return np.asarray(strength * facing[:, None] * black_body(light.kelvin))
