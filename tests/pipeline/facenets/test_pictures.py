"""Textures, looks and scenes: what the networks are shown."""

import numpy as np
import pytest

from pipeline.facenets import looks, textures
from pipeline.facenets.scenes import SIDE, scene
from pipeline.faces.alignment import landmark_box


def test_textures_are_the_seeds_own_and_differ(bank):
    again = textures.bank(np.random.default_rng(0), count=5)
    assert np.array_equal(bank, again)
    assert bank.shape == (5, textures.SIDE, textures.SIDE, 3)
    assert len({one.tobytes() for one in bank}) == 5


@pytest.mark.parametrize("seed", range(8))
def test_a_look_keeps_the_shape_and_is_the_seeds_own(stills, bank, seed):
    one, other = (looks.look(stills.frames[0], bank, np.random.default_rng(seed)) for _ in "ab")
    assert one.shape == (128, 128, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, other)


def test_a_pasted_face_is_itself_where_it_is_opaque():
    face, behind = np.full((8, 8, 3), 200, np.uint8), np.full((8, 8, 3), 20, np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 255
    made = looks.pasted(face, mask, behind)
    assert (made[:, :2] == 20).all()
    assert (made[:, 6:] == 200).all()


@pytest.fixture(scope="module")
def drawn(stills, bank):
    return [scene(stills, bank, np.random.default_rng(seed)) for seed in range(150)]


def test_scenes_hold_none_one_or_two_faces(drawn):
    assert {len(faces) for _, faces in drawn} == {0, 1, 2}
    assert all(picture.shape == (SIDE, SIDE, 3) for picture, _ in drawn)


def test_faces_lie_in_the_picture_but_for_a_rim(drawn):
    for _, faces in drawn:
        for points in faces:
            box = landmark_box(points)
            size = box[2] - box[0]
            middle = (box[:2] + box[2:]) / 2
            assert 0.15 * SIDE < size < 1.3 * SIDE
            assert (middle > 0.2 * size).all()
            assert (middle < SIDE - 0.2 * size).all()


def test_two_faces_do_not_cover_each_other(drawn):
    for _, faces in drawn:
        if len(faces) == 2:
            assert faces[0][:, 0].mean() < SIDE / 2 < faces[1][:, 0].mean()
