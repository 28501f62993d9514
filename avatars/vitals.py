"""Breath and heartbeat: what moves and colours a person who does nothing.

Drawn from a clip's seed, never from its class, and stored as truth. Resting adults breathe 12 to
20 times and their hearts beat 60 to 100 times a minute; the shoulders rise by less than a
millimetre; skin pulses by half a per cent to one, most in green (Verkruysse et al. 2008), in the
proportions of de Haan & van Leest 2014.
"""

from typing import NamedTuple

import numpy as np

_BREATHS, _BEATS = (12.0, 20.0), (60.0, 100.0)  # a minute
_RISE = (0.4, 0.9)  # mm from end of expiration to end of inspiration, at the shoulders
_GREEN = (0.004, 0.009)  # relative amplitude of the pulse in green light
_SIGNATURE = np.array([0.33, 0.77, 0.53]) / 0.77  # of R, G, B
_INHALED = 0.4  # of a breath


class Vitals(NamedTuple):
    """`breath_mm` (T,) rise of the shoulders; `pulse` (T, 3) relative change of skin colour."""

    breath_mm: np.ndarray
    pulse: np.ndarray


def course(frames: int, fps: float, rng: np.random.Generator) -> Vitals:
    """Breath and pulse of a clip of `frames` at `fps`."""
    seconds = np.arange(frames) / fps
    breath = seconds * rng.uniform(*_BREATHS) / 60 + rng.random()
    beat = seconds * rng.uniform(*_BEATS) / 60 + rng.random()
    rise, green = rng.uniform(*_RISE), rng.uniform(*_GREEN)
    wave = np.sin(2 * np.pi * beat) + 0.3 * np.sin(4 * np.pi * beat + 1.0)
    # More blood takes more light: at the pulse's crest skin is darkest, in green most.
    return Vitals(rise * _inflation(breath % 1.0), -green * wave[:, None] * _SIGNATURE / 1.2)


def still(frames: int) -> Vitals:
    """Neither."""
    return Vitals(np.zeros(frames), np.zeros((frames, 3)))


def _inflation(phase: np.ndarray) -> np.ndarray:
    """In [0, 1] over a breath: a quicker rise, a slower fall."""
    up = phase / _INHALED
    down = (1 - phase) / (1 - _INHALED)
    return np.asarray((1 - np.cos(np.pi * np.minimum(up, down))) / 2)
