import numpy as np
import pytest

from pipeline.evaluation.tone import tone, typology_angle


def face(colour):
    crop = np.full((64, 64, 3), (20, 90, 200), np.uint8)  # a background of another colour
    crop[20:52, 16:48] = colour
    return crop


@pytest.mark.parametrize(
    ("colour", "name"),
    [((70, 45, 35), "dark"), ((190, 145, 115), "medium"), ((235, 200, 180), "light")],
)
def test_skin_falls_into_its_class(colour, name):
    assert tone(face(colour)) == name


def test_lighter_skin_has_a_larger_angle():
    angles = [
        typology_angle(face((level, level - 30, level - 45))) for level in (90, 150, 210, 250)
    ]
    assert angles == sorted(angles)
    assert -90 <= angles[0] < angles[-1] <= 90


def test_hair_and_room_do_not_count():
    crop = face((190, 145, 115))
    crop[:20] = 0
    assert typology_angle(crop) == typology_angle(face((190, 145, 115)))
