"""Other light, other cameras, things in front: what a render goes through before a network sees it.

Renders are clean and alike. Whatever may differ in other pictures of faces is drawn wider here than
it is there; none of it moves a point.
"""

import cv2
import numpy as np

from pipeline.facenets.textures import window

COVERED = 0.25  # chance that something stands before the face
GREY = 0.15  # chance of a picture without colour
SOFT, COARSE, NOISY, JPEG = 0.3, 0.15, 0.5, 0.15  # chances of what cameras do
LEAST = 24  # px a side that a coarse picture has


def look(picture: np.ndarray, textures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8 RGB > the same picture under another light, through another camera."""
    if rng.random() < COVERED:
        picture = covered(picture, textures, rng)
    return camera(lit(picture.astype(np.float32), rng), rng)


def covered(picture: np.ndarray, textures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8 with one oval or box of a texture somewhere."""
    side = len(picture)
    mask = np.zeros((side, side), np.uint8)
    middle, size = rng.uniform(0, side, 2), rng.uniform(0.1, 0.45, 2) * side
    shape = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(mask, shape, (255,), -1)
    else:
        cv2.fillPoly(mask, [cv2.boxPoints(shape).astype(np.int32)], (255,))
    return np.where(mask[..., None] > 0, window(textures, side, rng), picture)


def lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) float32 with other brightness, contrast, tint and a light that falls off."""
    if rng.random() < GREY:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    mean = picture.mean()
    picture = (picture - mean) * np.float32(np.exp(rng.normal(0, 0.15))) + mean
    gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.08, 3))
    picture = picture * gain.astype(np.float32) + np.float32(rng.normal(0, 10))
    ramp = np.linspace(-1, 1, len(picture), dtype=np.float32)
    slope = rng.normal(0, 0.15, 2).astype(np.float32)
    fall = 1 + slope[0] * ramp[:, None] + slope[1] * ramp[None]
    return np.asarray(picture * np.maximum(fall, 0.2)[..., None])


def camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) float32 > uint8: out of focus, coarse, noisy or compressed, each by chance."""
    side = len(picture)
    if rng.random() < SOFT:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 2.5) * side / 256)
    if rng.random() < COARSE:
        few = int(np.exp(rng.uniform(np.log(LEAST), np.log(side))))
        small = cv2.resize(picture, (few, few), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < NOISY:
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + np.float32(rng.uniform(0, 12)) * noise
    seen = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < JPEG:
        _, packed = cv2.imencode(
            ".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))]
        )
        seen = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return seen


def pasted(face: np.ndarray, mask: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """(S, S, 3) uint8: a face, as far as its (S, S) uint8 mask is opaque, over what is behind."""
    share = cv2.GaussianBlur(mask, (3, 3), 0)[..., None].astype(np.float32) / 255
    return np.asarray(face * share + behind * (1 - share), dtype=np.float32).astype(np.uint8)
