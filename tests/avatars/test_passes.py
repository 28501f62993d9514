"""Segmentation and depth against geometry whose answer is known."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from avatars import optics, passes, raster
from avatars.errors import AvatarError
from avatars.passes import LABELS, rasterise
from avatars.person import Part
from avatars.raster import View
from avatars.units import UNITS
from pipeline.params import Pass

SIZE = 96
# Looks along +y from the origin; at 2 m a metre is 48 px.
CAMERA = np.array([[SIZE, SIZE / 2, 0, 0], [0, SIZE / 2, -SIZE, 0], [0, 1, 0, 0.0]])


def square(name, y, half, slant=0.0):
    """A part of one quad facing the camera at depth `y`, `slant` further at its right edge."""
    corners = [
        (-half, y, -half),
        (half, y + slant, -half),
        (half, y + slant, half),
        (-half, y, half),
    ]
    part = Part(name, np.array([[0, 1, 2, 3]]), np.zeros((1, 4, 2)), "mouth", Path("none.png"))
    return part, np.array(corners, float)


def shoot(*squares):
    return rasterise([p for p, _ in squares], {p.name: v for p, v in squares}, CAMERA, SIZE)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_part_is_seen_whatever_the_order(order):
    both = square("teeth", 2.0, 0.25), square("tongue", 1.5, 0.1)
    labels, depth = shoot(*(both[n] for n in order))
    assert labels[48, 48] == LABELS.index("tongue")
    assert labels[48, 48 - 10] == LABELS.index("teeth")
    assert labels[0, 0] == LABELS.index("background")
    assert depth[48, 48] == pytest.approx(1.5)
    assert np.isinf(depth[0, 0])


def test_a_square_covers_its_projected_pixels_without_seam():
    labels, _ = shoot(square("teeth", 2.0, 0.25))  # 24 px a side
    rows, columns = np.nonzero(labels)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (36, 59, 36, 59)
    assert len(rows) == 24 * 24


def test_depth_of_a_slanted_plane_is_exact():
    _, depth = shoot(square("teeth", 2.0, 0.25, slant=1.0))
    x = (np.arange(SIZE) + 0.5 - SIZE / 2) / SIZE  # tangent of the viewing angle
    expected = 2.5 / (1 - 2 * x)  # where the ray meets y = 2 + (x + 0.25) / 0.5
    seen = np.isfinite(depth[48])
    assert seen.sum() > 10
    assert np.allclose(depth[48][seen], expected[seen], rtol=1e-6)


@pytest.fixture(scope="module")
def turned(person, scene):
    units = np.zeros((len(UNITS), 2))
    units[list(UNITS).index("27")] = 1.0
    camera = optics.projection(scene.camera, person.centre, SIZE)
    posed = person.posed(units, np.array([15.0, 0.0, 0.0]), np.zeros(2))
    return posed, camera, rasterise(person.parts, posed.parts, camera, SIZE)


def label_at(buffers, pixel):
    return LABELS[buffers.labels[int(pixel[1]), int(pixel[0])]]


def test_parts_are_where_their_landmarks_are(turned):
    from avatars.landmarks import project

    posed, camera, buffers = turned
    marks = project(posed.landmarks, camera)
    assert label_at(buffers, marks[36:42].mean(axis=0)) == "eyes"
    assert label_at(buffers, marks[42:48].mean(axis=0)) == "eyes"
    assert label_at(buffers, marks[30]) == "skin"
    assert label_at(buffers, marks[60:68].mean(axis=0)) in ("teeth", "tongue")
    assert label_at(buffers, (SIZE / 2, SIZE - 1)) == "gown"
    assert label_at(buffers, (0, 0)) == "background"


def test_depth_of_the_nose_tip_is_its_distance_along_the_axis(turned):
    posed, camera, buffers = turned
    point = np.append(posed.landmarks[30], 1.0) @ camera.T
    column, row = (point[:2] / point[2]).astype(int)
    assert buffers.depth[row, column] == pytest.approx(point[2], abs=0.002)  # m


def test_unknown_pass_is_one_sentence():
    with pytest.raises(AvatarError, match="no pass 'albedo'; known: segmentation, depth, normals"):
        passes.require_passes(["depth", "albedo"])


def test_the_parameters_know_the_same_passes():
    assert list(get_args(Pass)) == list(passes.PASSES)


def test_a_square_faces_the_camera_as_it_is_slanted():
    part, corners = square("teeth", 2.0, 0.25, slant=0.5)
    shot = raster.shoot(View([part], {"teeth": corners}, CAMERA, SIZE))
    seen = passes.normals(shot)[48, 48]
    assert seen == pytest.approx(np.array([1, 0, 1]) / np.sqrt(2), abs=1e-6)
    assert not passes.normals(shot)[0, 0].any()


def test_a_clips_passes_fit_each_other(person, scene):
    camera = optics.projection(scene.camera, person.centre, SIZE)
    heads = [np.array([turn, 0.0, 0.0]) for turn in (0.0, 4.0, 8.0)]
    posed = [person.posed(np.zeros((len(UNITS), 2)), head, np.zeros(2)) for head in heads]
    views = [View(person.parts, p.parts, camera, SIZE) for p in posed]
    found = passes.record(tuple(passes.PASSES), views)
    assert found["flow_forward"].shape == found["flow_backward"].shape == (2, SIZE, SIZE, 2)
    assert found["flow_forward_visible"].dtype == bool
    person_seen = found["segmentation"] > 0
    assert np.array_equal(person_seen, np.isfinite(found["depth_m"]))
    assert np.array_equal(person_seen, found["normals"].any(axis=-1))
    shown = np.linalg.norm(found["normals"][person_seen], axis=-1)
    assert np.allclose(shown, 1, atol=1e-5)
    skin, ids = posed[1].parts["skin"], found["vertex_ids"]
    assert np.array_equal(ids[found["quads"]], person.quads)
    assert np.array_equal(found["vertices_m"][1], skin[ids].astype(np.float32))
