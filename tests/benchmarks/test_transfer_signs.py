import numpy as np
import pytest
from judges import Face
from transfer_signs import CHIN, INNER_LIPS, NOSE, OUTER_EYES, Film, apart, points_apart


def face(blink=0.0, frown=0.0, gap=0.0, nose=0.0):
    points = np.zeros((478, 2))
    points[CHIN] = 0, 100
    points[list(OUTER_EYES)] = (-25, 30), (25, 30)
    points[NOSE] = nose, 50
    points[list(INNER_LIPS)] = (0, 70), (0, 70 + gap)
    shapes = {f"{name}{side}": value for side in ("Left", "Right")
              for name, value in (("eyeBlink", blink), ("mouthFrown", frown))}  # fmt: skip
    return Face(shapes, points)


def signs(*faces):
    return Film(list(faces), [None] * len(faces)).signs()


def test_a_face_at_rest_has_no_sign():
    assert signs(face(), face(0.1, 0.01, 1.0, 1.0)) == dict.fromkeys(
        ("closed", "parted", "down", "turn"), 0.0
    )


@pytest.mark.parametrize(
    ("change", "sign", "value"),
    [({"blink": 0.5}, "closed", 1), ({"gap": 5}, "parted", 1), ({"frown": 0.1}, "down", 1),
     ({"nose": 10}, "turn", 1), ({"nose": -10}, "turn", -1)],
)  # fmt: skip
def test_each_sign_is_read_by_itself(change, sign, value):
    found = signs(face(), face(**change), face())
    assert {name for name, read in found.items() if read} == {sign}
    assert found[sign] == value


def test_eyes_shut_from_the_start_do_not_close():
    assert signs(face(blink=0.6), face(blink=0.6))["closed"] == 0


def test_a_film_without_its_first_face_is_not_read():
    assert signs(None, face(), face()) is None
    assert signs(face(), None) is None


def test_distances_are_unknown_without_a_face():
    assert np.isnan(apart(None, np.zeros(128)))
    assert np.isnan(points_apart(face(), None))
    assert apart(np.zeros(4), np.ones(4)) == 2
    assert points_apart(face(), face()) == 0
