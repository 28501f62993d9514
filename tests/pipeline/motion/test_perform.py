from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
import torch

import fomm
from pipeline.errors import AssetError, ClipError
from pipeline.media.film import stream_film, write_film
from pipeline.media.video import write_clip
from pipeline.motion.check import Checked
from pipeline.motion.driver import Driver
from pipeline.motion.mien import read_mien
from pipeline.motion.perform import perform, performances, restless
from pipeline.motion.reference import Reference
from pipeline.params import TransferParams

CHECKPOINT = Path(__file__).parents[3] / "checkpoints" / "motion" / "blend-128.safetensors"


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
    assert made.notes[0] == "exact arithmetic: nothing faster was asked for"
    assert made.notes[1].endswith("(by key points)")
    moved = np.abs(made.frames.astype(int) - made.frames[0]).mean(axis=(1, 2, 3))
    assert moved.argmax() == 2  # the turning point of the video


def test_a_checkpoint_in_the_published_form_performs_at_its_own_size(files, tmp_path, astronaut):
    write_clip(tmp_path / "short.mp4", astronaut(right=24.0, frames=2, size=256), 8)
    torch.manual_seed(3)
    model = fomm.MotionModel(fomm.CONFIGS["vox-256"])
    parts = ("generator", "kp_detector")
    path = tmp_path / "vox-cpk.pth.tar"  # a torch pickle, whatever its name says
    torch.save({name: getattr(model, name).state_dict() for name in parts}, path)
    made = perform(files[0], tmp_path / "short.mp4", path, TransferParams())
    assert made.frames.shape == (2, 256, 256, 3)
    assert made.fps == 8


def test_a_black_start_is_left_out_and_said(files, tmp_path, astronaut):
    clip = astronaut(right=24.0, frames=3, size=256)
    write_clip(tmp_path / "late.mp4", np.concatenate([np.zeros_like(clip[:2]), clip]), 8)
    made = perform(files[0], tmp_path / "late.mp4", CHECKPOINT, TransferParams(relative=False))
    assert len(made.frames) == 3
    assert any("late.mp4: frames 2 to 4 of 5 are used" in note for note in made.notes)


def test_a_driver_that_is_no_film_is_one_sentence(files, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(ClipError, match=r"broken\.mp4 cannot be read as a video$"):
        perform(files[0], tmp_path / "broken.mp4", CHECKPOINT, TransferParams())


def test_absolute_transfer_needs_no_reference(files):
    made = perform(*files, CHECKPOINT, TransferParams(relative=False))
    assert not any("frame 0" in note for note in made.notes)


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


def test_portraits_share_one_look_and_a_bad_one_keeps_none_from_performing(files, tmp_path):
    face, move = files
    iio.imwrite(tmp_path / "none.png", np.full((200, 200, 3), 128, np.uint8))
    said = []
    made = list(
        performances(
            [tmp_path / "none.png", face], move, CHECKPOINT, TransferParams(),
            say=lambda what, done, total: said.append((what, done, total)),
        )
    )  # fmt: skip
    assert "a portrait cannot be framed: no face was found" in str(made[0])
    assert said == [("move.mp4 is looked at", 5, 5)]
    frames = list(made[1].frames())
    assert len(frames) == made[1].count == 5
    assert "a smile" in made[1].record["check"]["shows"]
    assert made[1].record["start"] in range(5)
    write_film(tmp_path / "whole.mp4", np.stack(frames), 8, repeats=1)
    stream_film(tmp_path / "streamed.mp4", iter(frames), 8)
    streamed = (tmp_path / "streamed.mp4").read_bytes()
    assert streamed == (tmp_path / "whole.mp4").read_bytes()


def test_a_film_without_a_frame_at_rest_is_told():
    rest = np.array([[46, 58], [80, 58], [46, 64], [80, 64], [50, 90], [76, 90], [63, 89],
                     [63, 90], [63, 79], [63, 112]], dtype=float)  # fmt: skip
    asleep = rest.copy()
    asleep[2:4, 1] = 58.5
    points = fomm.KeyPoints(torch.from_numpy(asleep[None]), torch.eye(2).expand(1, 10, 2, 2))
    driver = Driver("night.mp4", 8, points, None, ())
    portrait = Checked(None, read_mien(rest), (), {})
    told = restless(portrait, driver, Reference(0, ""))
    assert told.startswith("night.mp4 starts mid-expression: even frame 0")
    assert "shows shut eyes, which the portrait does not" in told
    assert restless(Checked(None, read_mien(asleep), (), {}), driver, Reference(0, "")) == ""
