import numpy as np
import pytest

from avatars import backdrop, optics
from avatars.errors import AvatarError
from avatars.landmarks import project
from avatars.scene import Scene, sample_scene


def test_row_survives_a_round_trip(scene):
    assert Scene.parse(scene.row()) == scene


def test_unknown_camera_field_is_named(scene):
    row = scene.row()
    row["camera"]["zoom"] = 2
    with pytest.raises(AvatarError, match="zoom"):
        Scene.parse(row)


def test_face_centre_projects_where_the_shift_says(scene):
    centre = np.array([0.01, -0.1, 1.6])
    pixel = project(centre[None], optics.projection(scene.camera, centre, 128))[0]
    right, up = scene.camera.shift
    assert pixel == pytest.approx([64 + 128 * right, 64 - 128 * up], abs=0.5)


def test_backdrops_are_pictures_and_repeat():
    for seed in range(12):
        wall = sample_scene(np.random.default_rng(seed)).backdrop
        picture = backdrop.paint(wall)
        assert picture.shape == (backdrop.SIZE, backdrop.SIZE, 3)
        assert 0 <= picture.min() <= picture.max() <= 1
        assert np.array_equal(picture, backdrop.paint(wall))
