"""Flow of people against the tracks of their vertices, and its occlusion against a z-buffer."""

import dataclasses
import time

import numpy as np
import pytest

from avatars import flow, optics, raster
from avatars.identity import sample_identity
from avatars.person import Person
from avatars.raster import View
from avatars.targets import Targets
from avatars.units import UNITS

SIZE = 96
WITHIN = ("skin", "eyes", "teeth", "tongue")  # the parts that all people share
STILL, TURNED = np.zeros(3), np.array([20.0, 5.0, 3.0])


def look(person, scene, units=(), head=STILL, size=SIZE):
    executed = np.zeros((len(UNITS), 2))
    for name in units:
        executed[list(UNITS).index(name)] = 1.0
    parts = [part for part in person.parts if part.name in WITHIN]
    posed = person.posed(executed, head, np.zeros(2))
    return View(parts, posed.parts, optics.projection(scene.camera, person.centre, size), size)


@pytest.fixture(scope="module")
def other(assets):
    identity = sample_identity(3, np.random.default_rng(1), np.random.default_rng(4))
    return Person(identity, assets, Targets(assets.targets()))


@pytest.fixture(scope="module")
def pair(person, scene):
    """Somebody at rest, and turned with shut eyes and an open mouth."""
    return tuple(
        raster.shoot(view)
        for view in (look(person, scene), look(person, scene, ("26", "43"), TURNED))
    )


def error_at_vertices(first, second, chosen):
    """Pixels between flow and track of each skin vertex, read where it is a pixel's centre."""
    errors = []
    for vertex in chosen:
        at, _ = optics.project(first.vertices["skin"][vertex], first.camera)
        moved = first.camera.copy()
        moved[:2] += (np.floor(at) + 0.5 - at)[:, None] * moved[2]
        shot = raster.shoot(first._replace(camera=moved))
        column, row = np.floor(at).astype(int)
        mesh, _ = raster.corners(first, 0)
        if vertex not in mesh[shot.triangle[row * SIZE + column]]:
            continue  # what touches it, a lip or a lid, is nearer by less than counts as hiding
        there, _ = optics.project(second.view.vertices["skin"][vertex], second.view.camera)
        found = flow.flow(shot, second).displacement[row, column] + (column, row)
        errors.append(np.linalg.norm(found + 0.5 - there))
    return np.array(errors)


def seen_by_both(first, second, count):
    skin = np.unique(first.view.parts[0].quads)
    for shot in (first, second):
        points = shot.view.vertices["skin"][skin]
        at, _ = optics.project(points, shot.view.camera)
        inside = ((at > 1) & (at < SIZE - 1)).all(axis=1)
        # Lids and lips lie upon each other: here the vertex itself must be what is seen.
        skin = skin[inside & ~raster.hidden(shot.view, points, before=1e-6)]
    return np.random.default_rng(0).choice(skin, count, replace=False)


def test_flow_is_the_track_of_every_vertex(pair):
    errors = error_at_vertices(pair[0].view, pair[1], seen_by_both(*pair, 12))
    assert len(errors) >= 9
    assert errors.max() < 0.1


def test_flow_leads_to_the_same_vertex_of_another_person(pair, other, scene):
    second = raster.shoot(look(other, scene, ("12",), TURNED))
    errors = error_at_vertices(pair[0].view, second, seen_by_both(pair[0], second, 6))
    assert len(errors) >= 5
    assert errors.max() < 0.1


def test_there_and_back_is_where_one_began(pair):
    first, second = pair
    there, back = flow.flow(first, second), flow.flow(second, first)
    returned = flow.warp(back.displacement, there) + there.displacement
    person = there.visible & (first.part.reshape(SIZE, SIZE) == 0)
    # Bilinear reading mixes the two sides of a lip or an outline: the median knows none.
    assert np.nanmedian(np.linalg.norm(returned[person], axis=1)) < 0.05


def test_occlusion_is_that_of_a_fine_z_buffer(pair, person, scene):
    first, second = pair
    points = flow.counterparts(first, second)
    shown = np.isfinite(points[:, 0])
    fine = look(person, scene, ("26", "43"), TURNED, size=5 * SIZE)
    depth = raster.shoot(fine).depth.reshape(5 * SIZE, 5 * SIZE)
    at, away = optics.project(points[shown], fine.camera)
    inside = ((at >= 1) & (at < 5 * SIZE - 1)).all(axis=1)
    column, row = np.clip(at.astype(int), 1, 5 * SIZE - 2).T
    around = [depth[row + down, column + right] for down in (-1, 0, 1) for right in (-1, 0, 1)]
    before = np.array(around) < away - 0.002
    # Elsewhere an edge or a steep surface goes through the fine pixels around the point.
    clear = inside & (before.all(axis=0) | ~before.any(axis=0))
    assert clear.mean() > 0.8
    visible = flow.flow(first, second).visible.ravel()[shown]
    assert not visible[clear & before[0]].any()
    # Lids and lips lie upon each other by less than the buffer's two millimetres.
    assert visible[clear & ~before[0]].mean() > 0.99
    thick = inside & ~raster.hidden(second.view, points[shown], before=0.002)
    assert np.array_equal(thick[clear], ~before[0][clear])


def test_a_turned_head_hides_the_far_cheek_and_shut_lids_the_eyes(pair):
    first, second = pair
    visible = flow.flow(first, second).visible.ravel()
    eyes = [part.name for part in first.view.parts].index("eyes")
    assert not visible[first.part == eyes].any()
    assert 0.8 < visible[first.part == 0].mean() < 0.99


def test_the_backdrop_stands_still_and_another_camera_has_none_of_it(pair, person, scene):
    first, second = pair
    found = flow.flow(first, second)
    behind = (first.part == raster.NOTHING).reshape(SIZE, SIZE)
    assert not found.displacement[behind].any()
    assert found.visible[behind].mean() > 0.8
    camera = dataclasses.replace(scene.camera, azimuth=45.0)
    aside = raster.shoot(look(person, dataclasses.replace(scene, camera=camera)))
    assert not flow.flow(first, aside).visible[behind].any()


def test_a_part_that_the_other_lacks_has_no_counterpart(pair):
    first, second = pair
    bald = second.view._replace(parts=second.view.parts[:1])
    found = flow.flow(first, raster.shoot(bald))
    eyes = (first.part == 1).reshape(SIZE, SIZE)
    assert not found.visible[eyes].any()
    assert not found.displacement[eyes].any()


def test_a_pair_takes_a_tenth_of_a_second(pair):
    start = time.process_time()
    flow.flow(*pair)
    assert time.process_time() - start < 0.3  # three times what it may take: other work beside it
