"""Sight lines and strands against geometry whose answer is known."""

from pathlib import Path

import numpy as np
import pytest

from avatars import optics, raster
from avatars.person import Part
from avatars.raster import View
from avatars.strands import Strands

SIZE = 96
# Looks along +y from the origin; at 2 m a metre is 48 px.
CAMERA = np.array([[SIZE, SIZE / 2, 0, 0], [0, SIZE / 2, -SIZE, 0], [0, 1, 0, 0.0]])


def wall(y=2.0, half=0.25):
    """A view of one square facing the camera at depth `y`."""
    corners = np.array([(-half, y, -half), (half, y, -half), (half, y, half), (-half, y, half)])
    part = Part("teeth", np.array([[0, 1, 2, 3]]), np.zeros((1, 4, 2)), "mouth", Path("none.png"))
    return View([part], {"teeth": corners}, CAMERA, SIZE)


def test_what_is_behind_the_square_and_within_its_edges_is_hidden():
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.6, 1.5, -0.6), (0.6, 3.0, 0.6), (4000, 3))
    shadow = np.abs(points[:, [0, 2]]).max(axis=1) < 0.25 * points[:, 1] / 2.0
    expected = shadow & (points[:, 1] > 2.0002)
    assert np.array_equal(raster.hidden(wall(), points), expected)


def test_a_point_on_the_surface_is_not_hidden_by_it():
    points = np.random.default_rng(1).uniform((-0.25, 2, -0.25), (0.25, 2, 0.25), (500, 3))
    assert not raster.hidden(wall(), points).any()


def test_outside_the_picture_nothing_hides():
    assert not raster.hidden(wall(half=3.0), np.array([[2.9, 3.0, 0.0]])).any()


def curtain(spacing, y=1.5):
    """Upright strands of 1 mm across half the square, `spacing` metres apart."""
    x = np.arange(-0.2, 0.0, spacing)
    z = np.linspace(-0.1, 0.1, 5)
    points = np.stack(np.broadcast_arrays(x[:, None], y, z[None]), axis=-1)
    return Strands("hair", points, radius=0.0005)


@pytest.mark.parametrize(("spacing", "covered"), [(0.0005, True), (0.002, False)])
def test_strands_count_where_they_hide_half_of_what_is_behind(spacing, covered):
    shot = raster.shoot(wall()._replace(strands=[curtain(spacing)]))
    hair = (shot.part == 1).reshape(SIZE, SIZE)
    assert hair[44:52, 38:46].all() == covered
    assert not hair[:, 50:].any()
    if covered:
        assert np.allclose(shot.depth.reshape(SIZE, SIZE)[44:52, 38:46], 1.5)


def test_strands_behind_a_surface_are_not_seen():
    shot = raster.shoot(wall()._replace(strands=[curtain(0.0005, y=2.5)]))
    assert not (shot.part == 1).any()


def test_a_place_on_a_slanted_strand_is_where_the_pixel_is():
    line = Strands("hair", np.array([[[-0.4, 1.2, 0.02], [0.4, 2.2, 0.02]]]), radius=0.5)
    shot = raster.shoot(wall(y=3.0)._replace(strands=[line]))
    seen = np.flatnonzero(shot.part == 1)
    corners, points = raster.corners(shot.view, 1)
    at = np.einsum("nc,nck->nk", shot.shares[seen], points[corners[shot.triangle[seen]]])
    screen, away = optics.project(at, CAMERA)
    assert np.abs(screen[:, 0] - (seen % SIZE + 0.5)).max() <= 0.5 + 1e-9
    assert np.allclose(away, shot.depth[seen])
    assert len(seen) > 30


def test_axes_of_a_projection_are_the_cameras_own(scene):
    centre = np.array([0.0, -0.1, 1.6])
    axes, focal = optics.axes(optics.projection(scene.camera, centre, SIZE))
    assert np.allclose(axes, optics.pose(scene.camera, centre)[:3, :3].T)
    assert focal == pytest.approx(scene.camera.focal / 36 * SIZE)
