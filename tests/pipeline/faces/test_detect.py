from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import AssetError
from pipeline.faces.detect import HaarDetector, choose_detector, neutral_box, weights_folder
from pipeline.faces.quality import Rejected
from pipeline.media.video import read_clip

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"  # an avatar turning 40 degrees


def overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    area = [np.prod(box[2:] - box[:2]) for box in (one, other)]
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (sum(area) - shared)


@pytest.mark.parametrize("size", [96, 128, 256, 480])
def test_haar_finds_one_real_face_at_any_size(astronaut, size):
    boxes = HaarDetector().find(astronaut(size=size)[0])
    assert len(boxes) == 1
    assert overlap(boxes[0] / size * 128, np.array([48.0, 25.0, 84.0, 61.0])) > 0.8


def test_haar_finds_an_avatar_where_its_landmarks_are():
    frames, truth = read_clip(TURN), np.load(TURN.with_suffix(".npz"))["landmarks_px"]
    box = neutral_box(HaarDetector(), frames[0])
    points = truth[0, 17:]  # without the jaw line: the chin may stand below the box
    assert (points > box[:2]).all()
    assert (points < box[2:]).all()
    assert box[2] - box[0] < 1.6 * np.ptp(truth[0], axis=0).max()


def test_haar_finds_nothing_in_texture():
    texture = np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    with pytest.raises(Rejected) as caught:
        neutral_box(HaarDetector(), np.kron(texture, np.ones((8, 8, 1), np.uint8)))
    assert caught.value.reason == "no_face"


def test_two_faces_are_ambiguous_and_a_small_one_is_not(astronaut):
    face = astronaut()[0][:, 16:112]
    with pytest.raises(Rejected, match="2 faces") as caught:
        neutral_box(HaarDetector(), np.hstack([face, face]))
    assert caught.value.reason == "several_faces"
    behind = np.hstack([np.kron(face, np.ones((2, 2, 1), np.uint8)), np.vstack([face, face])])
    assert len(neutral_box(HaarDetector(), behind)) == 4


def test_auto_without_any_weights_is_haar_and_says_why(tmp_path):
    choice = choose_detector("auto", tmp_path, tmp_path)
    assert choice.name == "haar"
    assert "not in torch hub's cache" in choice.because
    assert "nor our own in" in choice.because
    assert set(choice.record()) == {"detector", "because", "identity"}
    assert isinstance(choice.load(), HaarDetector)


def test_asked_for_face_alignment_without_weights_is_one_sentence(tmp_path):
    with pytest.raises(AssetError, match=r"s3fd-619a316812.pth and 2DFAN4-11f355bf06.pth.tar"):
        choose_detector("face-alignment", tmp_path)


def test_half_a_set_of_weights_is_none(tmp_path):
    (tmp_path / "blazeface.pth").write_bytes(b"")
    (tmp_path / "2DFAN1.pth.tar").write_bytes(b"")
    assert choose_detector("auto", tmp_path, tmp_path).name == "haar"


def test_our_own_networks_run_when_asked_for_or_none_is_published(tmp_path):
    published, own = tmp_path / "published", tmp_path / "own"
    for folder in (published, own):
        folder.mkdir()
        for name in ("blazeface.pth", "anchors.npy", "2DFAN1.pth.tar"):
            (folder / name).write_bytes(folder.name.encode())
    assert choose_detector("auto", published, own).name == "face-alignment"
    choice = choose_detector("own", published, own)
    assert (choice.name, choice.because) == ("own", "faces.detector asks for it")
    assert choice.weights["blazeface.pth"] == own / "blazeface.pth"
    choice = choose_detector("auto", tmp_path, own)
    assert choice.name == "own"
    assert "face-alignment's weights are not in" in choice.because


def test_asked_for_our_own_without_its_files_is_one_sentence(tmp_path):
    with pytest.raises(AssetError, match="make facenets"):
        choose_detector("own", own=tmp_path)


def test_weights_folder_is_named_or_torch_hubs(monkeypatch, tmp_path):
    monkeypatch.setenv("PALLOR_FACE_WEIGHTS", str(tmp_path))
    assert weights_folder() == tmp_path
    monkeypatch.delenv("PALLOR_FACE_WEIGHTS")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert weights_folder() == tmp_path / "hub" / "checkpoints"
