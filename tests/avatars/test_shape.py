import numpy as np

from avatars import shape


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
