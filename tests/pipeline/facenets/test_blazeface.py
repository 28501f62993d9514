import zipfile

import numpy as np
import pytest
import torch
from face_alignment.detection.blazeface import FaceDetector
from face_alignment.detection.blazeface.net_blazeface import BlazeFace

from pipeline.facenets import blazeface, training
from pipeline.faces.alignment import landmark_box
from pipeline.params import FacenetParams

PARAMS = FacenetParams(blazeface_steps=12, blazeface_batch=4)


@pytest.fixture
def face(stills):
    return stills.landmarks[0].astype(float)


def test_anchors_are_those_of_the_published_weights():
    rows = blazeface.anchors()
    assert rows.shape == (896, 4)
    np.testing.assert_allclose(rows[:3], [[1 / 32, 1 / 32, 1, 1]] * 2 + [[3 / 32, 1 / 32, 1, 1]])
    np.testing.assert_allclose(rows[512:519, 0], [1 / 16] * 6 + [3 / 16])
    assert len(blazeface.priors()) == 896


def test_the_library_decodes_the_targets_to_the_box_and_the_points(face):
    labels, targets, sizes = blazeface.matched(face[None])
    rows = torch.from_numpy(targets)[None]
    decoded = BlazeFace()._decode_boxes(rows, torch.from_numpy(blazeface.anchors()))[0].numpy()
    top, left, bottom, right = 128 * decoded[labels == 1, :4].T
    box = landmark_box(face)
    found = np.stack([left, top, right, bottom], axis=1)
    np.testing.assert_allclose(found, np.tile(box, (len(found), 1)), atol=1e-3)
    points = 128 * decoded[labels == 1, 4:].reshape(-1, 6, 2)
    np.testing.assert_allclose(points[0], blazeface.key_points(face[None])[0], atol=1e-3)
    np.testing.assert_allclose(sizes, box[2] - box[0], rtol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 2.5])
def test_every_face_has_anchors_near_it_and_of_its_size(face, scale):
    points = (face - 64) * scale + 64
    labels, _, _ = blazeface.matched(points[None])
    box = landmark_box(points)
    answering = blazeface.priors()[labels == 1]
    assert len(answering) >= 1
    assert np.abs(np.log(answering / (box[2] - box[0]))).max() < np.log(1.6)


def test_each_of_two_faces_is_answered_for(face):
    two = np.stack([(face - 64) * 0.4 + (32, 64), (face - 64) * 0.4 + (96, 64)])
    labels, targets, _ = blazeface.matched(two)
    centres = targets[:, :2] + 128 * blazeface.anchors()[:, :2]
    assert (centres[labels == 1, 0] < 64).any()
    assert (centres[labels == 1, 0] > 64).any()


def test_nobody_is_nobody():
    labels, _, _ = blazeface.matched(np.zeros((0, 68, 2)))
    assert not labels.any()


def test_a_new_network_hardly_says_face_and_its_boxes_have_their_anchors_size(tmp_path):
    with training.repeatable(0):
        net = blazeface.started(BlazeFace())
    blazeface.save(tmp_path, net)
    inside = zipfile.ZipFile(tmp_path / "blazeface.pth").namelist()
    assert not [name for name in inside if "part" in name]  # a name of this process alone
    loaded = BlazeFace()
    loaded.load_state_dict(torch.load(tmp_path / "blazeface.pth", weights_only=True))
    with torch.no_grad():
        rows, scores = loaded(torch.zeros(1, 3, 128, 128))
    assert scores.sigmoid().max() < 0.2
    np.testing.assert_allclose(rows[0, :, 2].numpy(), blazeface.priors(), atol=25)


def test_training_lowers_the_loss_and_the_library_loads_the_result(stills, bank, tmp_path):
    with training.repeatable(1):
        task = blazeface.task(stills, bank, PARAMS)
        batch = task.draw(0, np.random.default_rng(0))
        before = task.loss(task.net, batch).item()
        training.train(task, 1, None, lambda line: None)
        assert task.loss(task.net, batch).item() < before
    blazeface.save(tmp_path, task.net)
    detector = FaceDetector(
        "cpu", path_to_detector=tmp_path / "blazeface.pth", path_to_anchor=tmp_path / "anchors.npy"
    )
    assert isinstance(detector.detect_from_image(stills.frames[0]), list | np.ndarray)
