"""What landmarks teach."""

import numpy as np
import torch

from fomm.supervision import (
    MIRRORED,
    POINTS,
    eye_and_mouth_weight,
    key_point_targets,
    to_unit,
)


def test_unit_coordinates_are_pixel_centres():
    found = to_unit(np.array([[0.5, 127.5], [64.0, 64.0]]), 128)
    np.testing.assert_allclose(found, [[-1, 1], [0, 0]], atol=1e-6)


def test_mirroring_twice_changes_nothing():
    assert np.array_equal(MIRRORED[MIRRORED], np.arange(68))


def test_mirrored_landmarks_are_the_mirrored_faces(performances):
    face = to_unit(performances(2, 1, 2).landmarks[0, 0, 0], 128)
    flipped = face[MIRRORED] * [-1, 1]
    lids_and_lips = slice(36, 68)
    centred = face[lids_and_lips] - face[lids_and_lips].mean(0)
    again = flipped[lids_and_lips] - flipped[lids_and_lips].mean(0)
    np.testing.assert_allclose(again, centred, atol=1e-5)


def test_targets_follow_their_landmarks():
    landmarks = torch.zeros(1, 68, 2)
    landmarks[0, 8] = torch.tensor([0.5, 2.0])
    targets, seen = key_point_targets(landmarks)
    chin = list(POINTS).index("chin")
    assert targets.shape == (1, 10, 2)
    assert targets[0, chin].tolist() == [0.5, 2.0]
    assert seen[0, chin] == 0
    assert seen.sum() == 9


def test_the_weight_lies_on_eyes_and_mouth(performances):
    landmarks = performances(2, 1, 2).landmarks[0, 0, :1]
    weight = eye_and_mouth_weight(torch.from_numpy(to_unit(landmarks, 128)), 128)[0, 0]
    eyes, mouth = landmarks[0, 36:48].mean(0), landmarks[0, 48:].mean(0)
    for x, y in (landmarks[0, 36:42].mean(0), mouth):
        assert weight[int(y), int(x)] > 0.95
    assert weight[int((eyes[1] + mouth[1]) / 2), int(mouth[0])] < 0.5
    assert weight.mean() < 0.15
    lips, eye = (weight[int(y), int(x)] for x, y in (mouth, landmarks[0, 36:42].mean(0)))
    assert lips > 2 * eye  # the gap between the lips tells parted from shut
