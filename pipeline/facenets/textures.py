"""What stands where no face is: pictures drawn from noise and shapes, never from photographs."""

import cv2
import numpy as np

SIDE = 320  # px; windows of it are shown
BANK = 64  # drawn once a training
# A face seen far off is an oval of skin: ovals of skin without a face are what teaches the rest.
SKIN = ((224, 172, 145), (198, 134, 102), (141, 85, 60), (84, 52, 40))  # RGB


def bank(rng: np.random.Generator, count: int = BANK) -> np.ndarray:
    """(count, SIDE, SIDE, 3) uint8 RGB: flat, shaded, cloudy, striped and full of shapes."""
    kinds = (_flat, _clouds, _stripes, _shapes, _shapes)
    drawn = [kinds[number % len(kinds)](rng) for number in range(count)]
    return np.clip(np.stack(drawn), 0, 255).astype(np.uint8)


def window(textures: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """(side, side, 3) uint8: a random part of a random one, on any of its sides."""
    whole = textures[rng.integers(len(textures))]
    top, left = rng.integers(0, SIDE - side + 1, 2)
    part = whole[top : top + side, left : left + side]
    return np.ascontiguousarray(np.rot90(part, rng.integers(4)))


def _flat(rng: np.random.Generator) -> np.ndarray:
    """One colour that fades into another."""
    one, other = rng.uniform(0, 255, (2, 3))
    fade = rng.uniform() * np.linspace(0, 1, SIDE)[:, None, None]
    return np.broadcast_to(one + fade * (other - one), (SIDE, SIDE, 3))


def _clouds(rng: np.random.Generator) -> np.ndarray:
    """Noise of all sizes, the larger the stronger, as in pictures of nature."""
    made = np.tile(rng.uniform(40, 215, 3), (SIDE, SIDE, 1))
    fall = rng.uniform(0.4, 0.8)
    for octave in range(7):
        cells = 2 ** (octave + 1)
        grey = rng.normal(0, 70 * fall**octave, (cells, cells, 1))
        noise = grey + rng.normal(0, 20 * fall**octave, (cells, cells, 3))
        made += cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return made


def _stripes(rng: np.random.Generator) -> np.ndarray:
    """Bars or checks of two colours at any angle."""
    y, x = np.mgrid[:SIDE, :SIDE]
    angle, width = rng.uniform(0, np.pi), rng.uniform(4, 60)
    bars = (x * np.cos(angle) + y * np.sin(angle)) // width % 2
    if rng.random() < 0.5:
        bars = (bars + (y * np.cos(angle) - x * np.sin(angle)) // width) % 2
    one, other = rng.uniform(0, 255, (2, 3))
    return one + bars[..., None] * (other - one)


def _shapes(rng: np.random.Generator) -> np.ndarray:
    """Clouds behind ovals, boxes and lines, half of them of the colour of skin."""
    made = np.clip(_clouds(rng), 0, 255).astype(np.uint8)
    for _ in range(rng.integers(4, 14)):
        colour = SKIN[rng.integers(len(SKIN))] if rng.random() < 0.5 else rng.uniform(0, 255, 3)
        tone = tuple(float(c) for c in colour)
        at, size = rng.integers(0, SIDE, 2), rng.integers(6, 90, 2)
        angle = float(rng.uniform(0, 180))
        oval = (tuple(map(float, at)), tuple(map(float, 2 * size)), angle)
        kind = rng.integers(3)
        if kind == 0:
            cv2.ellipse(made, oval, tone, -1, cv2.LINE_AA)
        elif kind == 1:
            corners = cv2.boxPoints(oval).astype(np.int32)
            cv2.fillPoly(made, [corners], tone, cv2.LINE_AA)
        else:
            end = rng.integers(0, SIDE, 2)
            cv2.line(made, at.tolist(), end.tolist(), tone, int(size[0] // 6), cv2.LINE_AA)
    return made
