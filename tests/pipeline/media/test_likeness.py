import cv2
import numpy as np
import pytest
from skimage import data

from pipeline.media.likeness import (
    NEAR,
    PIXELS,
    SAME,
    finalists,
    framings,
    likeness,
    looks,
    nearness,
    shrink,
)  # fmt: skip

FACE = data.astronaut()[70:230, 150:310]
CHANGES = {
    "same": lambda p: p,
    "re-encoded": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [1, 30])[1], 1),
    "half the size": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "brightened": lambda p: np.clip(p * 1.3 + 15, 0, 255).astype(np.uint8),
    "darkened": lambda p: (p * 0.6).astype(np.uint8),
    "gray": lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "far too bright": lambda p: np.clip(p * 1.5 + 25, 0, 255).astype(np.uint8),
    "gamma": lambda p: ((p / 255) ** 0.5 * 255).astype(np.uint8),
    "noisy": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 8, p.shape), 0, 255).astype(
        np.uint8
    ),
    "turned": lambda p: cv2.warpAffine(
        p, cv2.getRotationMatrix2D((80, 80), 3, 1), (160, 160), borderMode=cv2.BORDER_REPLICATE
    ),
    "stretched": lambda p: cv2.resize(p, (170, 160)),
    "cropped": lambda p: p[6:152, 4:150],
    "cropped more": lambda p: p[12:154, 2:152],
    "mirrored and cropped": lambda p: np.ascontiguousarray(p[4:150, 6:152][:, ::-1]),
}


def alike(one, other):
    one, other = shrink(one), shrink(other)
    [near], [framing] = nearness(framings(one), looks(other[None]))
    return likeness(one, other, framing) if near > NEAR else 0.0


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_the_same_picture(change):
    assert alike(FACE, CHANGES[change](FACE)) > SAME


def test_real_strangers_are_far_below_a_copy():
    faces = [
        np.repeat((face * 255).astype(np.uint8)[..., None], 3, axis=2)
        for face in data.lfw_subset()[:30]
    ]
    seen = looks(np.stack([shrink(face) for face in [*faces, FACE]]))
    for number, face in enumerate([*faces, FACE]):
        assert np.delete(nearness(framings(shrink(face)), seen)[0], number).max() < NEAR


def test_looks_are_of_length_one_and_a_blank_picture_is_like_nothing():
    seen = looks(np.stack([shrink(FACE), np.full((PIXELS, PIXELS), 90, np.uint8)]))
    assert np.allclose(np.linalg.norm(seen, axis=1), [1, 0], atol=1e-4)
    assert nearness(framings(shrink(FACE)), seen)[0][1] == pytest.approx(0, abs=1e-4)
    assert likeness(shrink(FACE), np.full((PIXELS, PIXELS), 90, np.uint8), 0) < 0.1


def test_the_nearest_few_are_looked_at_closely():
    assert finalists(np.array([0.2, 0.8, 0.95, 0.71, 0.75, NEAR])) == [2, 1, 4]
