import numpy as np
import pytest

from avatars import backdrop, optics
from avatars.errors import AvatarError
from avatars.landmarks import project
from avatars.scene import Scene, sample_scene, seen_from


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


@pytest.mark.parametrize("azimuth", [-90.0, -45.0, 0.0, 45.0, 90.0])
def test_a_camera_beside_the_head_has_all_of_it_in_the_picture(scene, person, azimuth):
    seen = seen_from(scene, azimuth, 0.0)
    camera = optics.projection(seen.camera, person.centre, 128)
    head = person.base.weights[:, -1] > 0.95
    shown = np.intersect1d(np.flatnonzero(head), person.quads)
    pixels = project(person.neutral.parts["skin"][shown], camera)
    assert pixels.min() > 2
    assert pixels.max() < 126
    assert (seen.lights, seen.backdrop) == (scene.lights, scene.backdrop)


def test_from_the_own_left_the_nose_points_to_the_pictures_left(scene, person):
    for azimuth, sign in ((90.0, -1), (-90.0, 1)):
        seen = seen_from(scene, azimuth, 0.0)
        camera = optics.projection(seen.camera, person.centre, 128)
        marks = project(person.neutral.landmarks, camera)
        assert sign * (marks[30, 0] - marks[0 if azimuth < 0 else 16, 0]) > 20


@pytest.mark.parametrize(("angles", "said"), [((91, 0), "azimuth 91"), ((0, -21), "elevation -21")])
def test_past_the_limit_no_camera_stands(scene, angles, said):
    with pytest.raises(AvatarError, match=f"a camera at {said} degrees sees too little of a face"):
        seen_from(scene, *angles)
