import dataclasses

import numpy as np
import pytest

from avatars import shape
from avatars.targets import Targets


def test_areas_are_those_of_flat_quads():
    square = np.array([[0.0, 0, 0], [2, 0, 0], [2, 3, 0], [0, 3, 0]])
    quads = np.array([[0, 1, 2, 3], [0, 1, 2, 2]])  # a triangle's fourth corner repeats its third
    assert np.allclose(shape.areas(square, quads), [6, 3])
    assert np.allclose(shape.normals(square, quads)[0], [0, 0, 6])


def test_a_collapsed_quad_gets_its_area_back(person):
    base, quads = person.base, person.quads
    folded = person.face.neutral.copy()
    quad = quads[len(quads) // 2]
    folded[quad] = folded[quad].mean(axis=0)
    mended = shape.unfold(folded, base)
    share = shape.areas(mended, quads) / np.maximum(shape.areas(base.mesh.vertices, quads), 1e-9)
    assert share[len(quads) // 2] > 0.02
    others = np.setdiff1d(quads, quads[np.isin(quads, quad).any(axis=1)])
    assert np.allclose(mended[others], folded[others], rtol=0, atol=1e-12)


def test_a_sound_face_stays_as_it_is(person):
    assert np.allclose(
        shape.unfold(person.face.neutral, person.base), person.face.neutral, rtol=0, atol=1e-12
    )


def test_the_base_face_looks_its_own_way_and_one_seen_from_inside_the_other(person):
    vertices = person.base.mesh.vertices
    assert shape.turned(vertices, person.base) == 0
    assert shape.turned(vertices * [-1, 1, 1], person.base) > 0.8  # but quads that look aside


@pytest.fixture(scope="module")
def targets(assets):
    return Targets(assets.targets())


def test_details_that_would_fold_a_face_are_drawn_back(identity, person, targets):
    """Four times what the targets were made for folds every face; the mildest share folds less."""
    wild = dataclasses.replace(
        identity, details={name: 4 * weight for name, weight in identity.details.items()}
    )
    whole = {**shape.macro_weights(wild), **shape.detail_weights(wild)}
    folded = shape.turned(targets.add(person.base.mesh.vertices, whole), person.base)
    assert shape.turned(shape.neutral(wild, person.base, targets), person.base) < folded


def test_a_face_that_does_not_fold_keeps_all_of_its_details(identity, person, targets):
    weights = {**shape.macro_weights(identity), **shape.detail_weights(identity)}
    whole = targets.add(person.base.mesh.vertices, weights)
    assert shape.turned(whole, person.base) <= 0.004
    assert np.allclose(shape.neutral(identity, person.base, targets), whole, rtol=0, atol=1e-12)
