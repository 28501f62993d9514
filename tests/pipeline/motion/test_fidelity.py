"""Signs are read from points as a person would read them from the face."""

import numpy as np
import pytest

from fomm.data import Performances
from fomm.supervision import POINTS
from pipeline.motion.fidelity import cases, openings, psnr, signs, true_points

FACE = {  # a neutral face, [-1, 1], y down
    "right upper lid": (-0.2, -0.15), "left upper lid": (0.2, -0.15),
    "right lower lid": (-0.2, -0.05), "left lower lid": (0.2, -0.05),
    "right mouth corner": (-0.12, 0.3), "left mouth corner": (0.12, 0.3),
    "upper lip": (0.0, 0.3), "lower lip": (0.0, 0.3), "nose tip": (0.0, 0.1), "chin": (0.0, 0.5),
}  # fmt: skip


def clip(**moved):
    """Two frames of points: neutral, then with some points shifted by (dx, dy)."""
    neutral = np.array([FACE[name] for name in POINTS])
    apex = neutral.copy()
    for name, shift in moved.items():
        apex[list(POINTS).index(name.replace("_", " "))] += shift
    return np.stack([neutral, apex])


def test_a_still_face_shows_nothing():
    assert signs(clip()) == {"closed": 0, "parted": 0, "turn": 0}


@pytest.mark.parametrize(("drop", "closed"), [(0.09, 1), (0.06, 0)])
def test_lids_close(drop, closed):
    moved = clip(right_upper_lid=(0, drop), left_upper_lid=(0, drop))
    assert signs(moved)["closed"] == closed


@pytest.mark.parametrize(("drop", "parted"), [(0.05, 1), (0.01, 0)])
def test_lips_part(drop, parted):
    assert signs(clip(lower_lip=(0, drop)))["parted"] == parted


@pytest.mark.parametrize(("shift", "turn"), [(0.1, 1), (-0.1, -1), (0.01, 0)])
def test_the_nose_tells_the_turn(shift, turn):
    assert signs(clip(nose_tip=(shift, 0)))["turn"] == turn


def test_a_head_that_moves_aside_does_not_turn():
    shift = {name.replace(" ", "_"): (0.2, 0.0) for name in POINTS}
    assert signs(clip(**shift)) == signs(clip())


def test_openings_do_not_depend_on_the_faces_size():
    large, small = clip(lower_lip=(0, 0.1)), 0.5 * clip(lower_lip=(0, 0.1))
    for name, values in openings(large).items():
        np.testing.assert_allclose(values, openings(small)[name], atol=1e-12)


def test_true_points_are_means_of_landmarks():
    landmarks = np.zeros((1, 68, 2))
    landmarks[0, 37], landmarks[0, 38] = (64, 64), (128, 64)
    found = true_points(landmarks, 128)[0, list(POINTS).index("right upper lid")]
    np.testing.assert_allclose(found, [0.5, 0])


def test_psnr_leaves_the_source_frame_out():
    truth = np.zeros((2, 4, 4, 3), np.uint8)
    found = truth.copy()
    found[0] = 255
    found[1] += 5
    assert psnr(found, truth) == pytest.approx(20 * np.log10(255 / 5))


def test_each_person_is_driven_by_the_next():
    data = Performances(
        np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2, 1, 1, 1).repeat(3, axis=-1),
        np.zeros((3, 2, 2, 68, 2), np.float32),
    )
    seen = [(int(c.source.max()), int(c.driving[0].max())) for c in cases(data)]
    assert seen == [(0, 4), (2, 6), (4, 8), (6, 10), (8, 0), (10, 2)]
