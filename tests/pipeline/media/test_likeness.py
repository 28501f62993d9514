import cv2
import numpy as np
import pytest
from skimage import data

from pipeline.media.likeness import PIXELS, SAME, framings, likeness, looks, shrink

FACE = data.astronaut()[70:230, 150:310]
CHANGES = {
    "same": lambda p: p,
    "re-encoded": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [1, 30])[1], 1),
    "half the size": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "brightened": lambda p: np.clip(p * 1.3 + 15, 0, 255).astype(np.uint8),
    "darkened": lambda p: (p * 0.6).astype(np.uint8),
    "gray": lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "cropped": lambda p: p[6:152, 4:150],
    "mirrored and cropped": lambda p: np.ascontiguousarray(p[4:150, 6:152][:, ::-1]),
}


def alike(one, other):
    return float(likeness(framings(shrink(one)), looks(shrink(other)[None]))[0])


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
        assert np.delete(likeness(framings(shrink(face)), seen), number).max() < SAME - 0.2


def test_looks_are_of_length_one_and_a_blank_picture_is_like_nothing():
    seen = looks(np.stack([shrink(FACE), np.full((PIXELS, PIXELS), 90, np.uint8)]))
    assert np.allclose(np.linalg.norm(seen, axis=1), [1, 0], atol=1e-4)
    assert likeness(framings(shrink(FACE)), seen)[1] == pytest.approx(0, abs=1e-4)
