import cv2
import numpy as np
import pytest
import torch
from face_alignment.utils import crop as library_crop
from face_alignment.utils import get_preds_fromhm, shuffle_lr
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars import landmarks
from avatars.basemesh import load
from pipeline.facenets.views import MIRROR, aligner_view, heat_maps, placed, seen, turned
from pipeline.faces.alignment import landmark_box

BOX = np.array([30.0, 28.0, 100.0, 98.0])


def test_a_crop_is_framed_as_the_library_frames_it(stills):
    times = 4
    frame = cv2.resize(stills.frames[0], None, fx=times, fy=times)
    box = times * landmark_box(stills.landmarks[0].astype(float))
    centre = (box[:2] + box[2:]) / 2 - (0, 0.12 * (box[3] - box[1]))
    theirs = library_crop(frame, centre, 2 * (box[2] - box[0]) / 195)
    ours = seen(frame, aligner_view(box), 256, cv2.BORDER_CONSTANT)
    assert np.abs(theirs.astype(float) - ours).mean() < 3


@settings(max_examples=30)
@given(
    x=st.floats(60, 70), y=st.floats(60, 70), left=st.floats(10, 40), side=st.floats(60, 90),
)  # fmt: skip
def test_a_point_is_read_back_where_it_was(x, y, left, side):
    box = np.array([left, left, left + side, left + side])
    points = np.tile([x, y], (68, 1))
    maps = heat_maps(placed(points, aligner_view(box)), 256)
    centre = (box[:2] + box[2:]) / 2 - (0, 0.12 * side)
    # The library cuts points to whole px: asked at a hundred times the size, they are not.
    _, found, _ = get_preds_fromhm(maps[None], 100 * centre, 100 * 2 * side / 195)
    a_cell = 2 * side / 195 * 200 / 64
    assert np.abs(found[0] / 100 - points).max() < 0.26 * a_cell + 0.02


def test_a_turn_keeps_the_middle_and_the_distances():
    middle = np.array([128.0, 128.0])
    view = turned(aligner_view(BOX), 30, middle)
    before = placed(np.array([BOX[:2], BOX[2:]]), aligner_view(BOX))
    after = placed(np.array([BOX[:2], BOX[2:]]), view)
    np.testing.assert_allclose(
        np.linalg.norm(after - middle, axis=1), np.linalg.norm(before - middle, axis=1)
    )


def test_what_is_seen_lies_where_its_points_are_placed():
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[60:64, 40:44] = 255
    for scale in (0.3, 1.7):
        view = turned(np.array([[scale, 0, 5.0], [0, scale, 9.0]]), 20, np.full(2, 50.0))
        y, x = np.nonzero(seen(picture, view, 128, cv2.BORDER_CONSTANT).max(axis=2) > 20)
        middle = np.array([x.mean() + 0.5, y.mean() + 0.5])
        np.testing.assert_allclose(middle, placed(np.array([42.0, 62.0]), view), atol=0.3)


def test_mirrored_points_are_the_librarys():
    numbers = torch.arange(68).reshape(1, 68, 1, 1)
    assert shuffle_lr(numbers).flatten().tolist() == MIRROR.tolist()


def test_the_mesh_is_its_own_mirror_image_at_the_landmarks(assets):
    points = landmarks.locate(load(assets).mesh.vertices)
    np.testing.assert_allclose(points[MIRROR] * (-1, 1, 1), points, atol=2e-3)  # dm


@pytest.mark.parametrize("side", [128, 256])
def test_maps_are_a_quarter_of_the_crop_and_a_point_outside_leaves_them_flat(side):
    maps = heat_maps(np.array([[side / 2, side / 2], [np.inf, np.inf], [-40, 20]]), side)
    assert maps.shape == (3, side // 4, side // 4)
    assert maps.dtype == np.float32
    assert maps[0].max() > 0.85
    assert maps[1:].max() < 1e-6
