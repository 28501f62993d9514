"""face-alignment's own code over weight files of its formats, fitted here to one avatar clip."""

from pathlib import Path

import numpy as np
import pytest
import torch
from face_alignment.detection.blazeface.net_blazeface import BlazeFace
from face_alignment.detection.sfd.net_s3fd import s3fd
from face_alignment.models import FAN
from face_alignment.utils import crop as face_crop

from pipeline.errors import AssetError
from pipeline.faces.alignment import LOST, SEEN, AlignmentDetector, landmark_box
from pipeline.faces.detect import choose_detector, find_weights, neutral_box
from pipeline.faces.faces import crop_faces
from pipeline.faces.quality import Rejected
from pipeline.faces.track import overlap
from pipeline.media.video import read_clip
from pipeline.params import FaceParams

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"


@pytest.fixture(scope="module")
def avatar():
    """Frames and true landmarks of the first, frontal part of the clip."""
    return read_clip(TURN)[:3], np.load(TURN.with_suffix(".npz"))["landmarks_px"][:3]


@pytest.fixture(scope="module")
def weights(tmp_path_factory, avatar):
    """A folder of weights under the cache names: a small set that knows this one face."""
    folder = tmp_path_factory.mktemp("weights")
    (frame, *_), (truth, *_) = avatar
    with torch.random.fork_rng():
        torch.manual_seed(0)
        np.save(folder / "anchors.npy", anchors())
        torch.save(fit_blazeface(frame, landmark_box(truth)), folder / "blazeface.pth")
        torch.save(fit_fan(frame, truth), folder / "2DFAN1.pth.tar")
    return folder


def anchors():
    rows = []
    for cells, each in ((16, 2), (8, 6)):
        steps = (np.arange(cells) + 0.5) / cells
        rows += [[x, y, 1, 1] for y in steps for x in steps for _ in range(each)]
    return np.array(rows, dtype=np.float32)


def fit_blazeface(frame, box):
    net, centres = BlazeFace(), anchors()[:, :2]
    centre, size = (box[:2] + box[2:]) / 256, (box[2:] - box[:2])
    near = torch.from_numpy(np.hypot(*(centres - centre).T) < 0.1)
    offsets = np.hstack([(centre - centres) * 128, np.tile(size, (len(centres), 1))])
    offsets = torch.from_numpy(offsets).float()
    picture = net._preprocess(torch.from_numpy(frame.transpose(2, 0, 1)[None].astype(np.float32)))
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(100):
        found, score = net(picture)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score[0, :, 0], near.float())
        loss = 5 * loss + (found[0, near, :4] - offsets[near]).abs().mean() / 10
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net.state_dict()


def fit_fan(frame, truth):
    """A random FAN, its last layer solved for heat maps that peak at the landmarks."""
    net, seen, box = FAN(1).eval(), {}, landmark_box(truth)
    net.l0.register_forward_hook(lambda _, inputs, __: seen.update(features=inputs[0]))
    centre, scale = (box[:2] + box[2:]) / 2, 2 * (box[2] - box[0]) / 195
    centre[1] -= 0.12 * (box[3] - box[1])
    picture = face_crop(frame, centre, scale).transpose(2, 0, 1)[None].astype(np.float32) / 255
    with torch.no_grad():
        net(torch.from_numpy(np.concatenate([picture, np.full_like(picture, 0.5)])))
    features = seen["features"].permute(0, 2, 3, 1).reshape(8192, 256).numpy()
    features = np.hstack([features, np.ones((8192, 1))])
    x, y = ((truth - centre) / (200 * scale) * 64 + 32).T
    row, column = np.mgrid[:64, :64].reshape(2, -1, 1) + 0.5
    heat = np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 2.0**2))
    heat = np.vstack([heat, np.zeros_like(heat)])  # nothing on grey
    square = features.T @ features
    solved = np.linalg.solve(
        square + 1e-7 * np.trace(square) / 257 * np.eye(257), features.T @ heat
    )
    with torch.no_grad():
        net.l0.weight.copy_(torch.from_numpy(2 * solved[:256].T[:, :, None, None]))
        net.l0.bias.copy_(torch.from_numpy(2 * solved[256]))
    return net.state_dict()


def test_auto_takes_local_weights_and_records_their_digests(weights):
    choice = choose_detector("auto", weights)
    assert choice.name == "face-alignment"
    assert set(choice.identity["weights"]) == {"blazeface.pth", "anchors.npy", "2DFAN1.pth.tar"}
    assert str(weights) not in str(choice.record())


def test_box_and_landmarks_are_where_the_truth_is(weights, avatar):
    frames, truth = avatar
    detector = choose_detector("face-alignment", weights).load()
    box = neutral_box(detector, frames[0])
    np.testing.assert_allclose(box, landmark_box(truth[0]), atol=6)
    landmarks, score = detector.landmarks(frames[0], landmark_box(truth[0]))
    assert np.linalg.norm(landmarks - truth[0], axis=1).mean() < 2.5
    assert score > LOST


def test_clip_is_cropped_through_face_alignment(weights, avatar):
    frames, truth = avatar
    detector = choose_detector("auto", weights).load()
    crops, boxes = crop_faces(frames, detector, FaceParams(), 64)
    assert crops.shape == (3, 64, 64, 3)
    assert ((truth[0] > boxes[0, :2]) & (truth[0] < boxes[0, 2:])).all()


def test_a_face_that_goes_is_lost(weights, avatar):
    frames, truth = avatar
    gone = np.stack([frames[0], np.full_like(frames[0], 127)])
    with pytest.raises(Rejected, match="lost in frame 1") as caught:
        choose_detector("auto", weights).load().follow(gone, landmark_box(truth[0]))
    assert caught.value.reason == "face_lost"


def test_our_own_networks_follow_a_head_that_turns_away():
    frames, truth = read_clip(TURN), np.load(TURN.with_suffix(".npz"))["landmarks_px"]
    detector = choose_detector("own").load()
    boxes = detector.follow(frames, neutral_box(detector, frames[0]))
    shared = [overlap(box, landmark_box(true)) for box, true in zip(boxes, truth, strict=True)]
    assert min(shared) > 0.6
    assert np.mean(shared) > 0.75


def test_our_own_networks_find_a_real_face_and_none_in_texture(astronaut):
    detector = choose_detector("own").load()
    assert len(neutral_box(detector, astronaut()[0])) == 4
    texture = np.random.default_rng(2).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    assert not len(detector.find(np.kron(texture, np.ones((8, 8, 1), np.uint8))))


def test_what_shows_no_landmarks_is_no_face(avatar):
    frames, _ = avatar
    detector = choose_detector("own").load()
    (box,) = detector.find(frames[0])
    assert detector.landmarks(frames[0], box)[1] > SEEN
    assert detector.landmarks(np.full_like(frames[0], 128), box)[1] < SEEN
    assert detector.landmarks(frames[0], np.array([0.0, 0, 20, 20]))[1] < SEEN


def test_a_square_picture_of_any_size_is_searched(weights, avatar):
    frames, truth = avatar
    detector = choose_detector("auto", weights).load()
    assert detector.find(np.zeros((25, 25, 3), np.uint8)).shape == (0, 4)
    large = np.kron(frames[0], np.ones((2, 2, 1), np.uint8))
    np.testing.assert_allclose(detector.find(large)[0] / 2, landmark_box(truth[0]), atol=6)


def test_upside_down_boxes_do_not_hang_the_detector(weights, avatar, tmp_path):
    for path in weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    state = torch.load(weights / "blazeface.pth", weights_only=True)
    for name in ("regressor_8", "regressor_16"):
        state[f"{name}.weight"].neg_()
        state[f"{name}.bias"].neg_()
    torch.save(state, tmp_path / "blazeface.pth")
    assert choose_detector("auto", tmp_path).load().find(avatar[0][0]).shape == (0, 4)


def test_published_set_loads_under_its_cache_names(tmp_path):
    torch.save(s3fd().state_dict(), tmp_path / "s3fd-619a316812.pth")
    torch.save(FAN(4).state_dict(), tmp_path / "2DFAN4-11f355bf06.pth.tar")
    weights = find_weights(tmp_path)
    assert set(weights) == {"s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar"}
    assert isinstance(choose_detector("auto", tmp_path).load(), AlignmentDetector)


@pytest.mark.parametrize("broken", ["blazeface.pth", "anchors.npy", "2DFAN1.pth.tar"])
def test_broken_weights_are_one_sentence(weights, tmp_path, broken):
    for path in weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / broken).write_bytes(b"not weights")
    with pytest.raises(AssetError, match="cannot be loaded"):
        choose_detector("auto", tmp_path).load()


def test_landmark_box_is_square_and_holds_the_points():
    points = np.random.default_rng(0).uniform(20, 80, (68, 2)) * (1, 0.8)
    left, top, right, bottom = landmark_box(points)
    assert right - left == pytest.approx(bottom - top)
    assert (points >= (left, top)).all()
    assert (points[:, 0] <= right).all()
