from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data

from pipeline.errors import AssetError, ClipError
from pipeline.media.video import write_clip
from pipeline.motion.perform import perform
from pipeline.params import TransferParams

CHECKPOINT = Path(__file__).parents[3] / "motion" / "blend-128.safetensors"


@pytest.fixture
def files(tmp_path, astronaut):
    iio.imwrite(tmp_path / "face.png", skimage.data.astronaut()[..., 0])
    write_clip(tmp_path / "move.mp4", astronaut(right=24.0, frames=5, size=256), 8)
    return tmp_path / "face.png", tmp_path / "move.mp4"


@pytest.fixture(autouse=True)
def _no_landmark_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("PALLOR_FACE_WEIGHTS", str(tmp_path))


def test_a_photograph_performs_a_video(files):
    made = perform(*files, CHECKPOINT, TransferParams())
    assert made.frames.shape == (5, 128, 128, 3)
    assert (made.frames.dtype, made.fps) == (np.uint8, 8)
    assert made.notes[0] == "exact arithmetic: it was asked for"
    assert made.notes[1].endswith("(by key points)")
    moved = np.abs(made.frames.astype(int) - made.frames[0]).mean(axis=(1, 2, 3))
    assert moved.argmax() == 2  # the turning point of the video


def test_absolute_transfer_needs_no_reference(files):
    made = perform(*files, CHECKPOINT, TransferParams(relative=False))
    assert len(made.notes) == 1


def test_what_is_missing_is_named(files, tmp_path):
    face, move = files
    with pytest.raises(AssetError, match=r"no\.png cannot be read"):
        perform(tmp_path / "no.png", move, CHECKPOINT, TransferParams())
    with pytest.raises(ClipError, match=r"no\.mp4 is missing"):
        perform(face, tmp_path / "no.mp4", CHECKPOINT, TransferParams())
    with pytest.raises(AssetError, match=r"no\.pt is missing"):
        perform(face, move, tmp_path / "no.pt", TransferParams())


def test_a_video_of_one_frame_is_refused(files, tmp_path, astronaut):
    write_clip(tmp_path / "one.mp4", astronaut(frames=2)[:1], 8)
    with pytest.raises(ClipError, match="one frame"):
        perform(files[0], tmp_path / "one.mp4", CHECKPOINT, TransferParams())
