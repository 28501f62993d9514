"""Predictions through the real chain; the network's weights are random, its answers are its own."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch

from models import Classifier, build
from pipeline.errors import AssetError, ClipError, StudyError
from pipeline.evaluation.predict import predict
from pipeline.media.video import read_clip, write_clip
from pipeline.params import FaceParams, Params
from pipeline.study import Input

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"  # 16 frames at 8 a second
LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
PARAMS = Params(faces=FaceParams(detector="haar"))
VIEW = Input()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(
            "convlstm", classes=5, channels=1, size=64, frames=8,
            parameters={"hidden": 4, "stem": 4},
        )  # fmt: skip
    path = tmp_path_factory.mktemp("model") / "clean.safetensors"
    Classifier("convlstm", network, LABELS, 8).save(path)
    return path


def test_every_class_has_its_probability_and_the_frames_are_named(model):
    answer = predict(TURN, model, PARAMS, VIEW)
    assert set(answer.probabilities) == set(LABELS)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.probabilities[answer.label] == max(answer.probabilities.values())
    assert (answer.frames, answer.fps, answer.windows) == ((0, 16), 8, 9)
    assert answer.detector == "haar"


def test_same_video_same_answer_at_another_rate(model, tmp_path):
    write_clip(tmp_path / "fast.mp4", np.repeat(read_clip(TURN), 3, axis=0), 24)
    assert predict(tmp_path / "fast.mp4", model, PARAMS, VIEW) == predict(TURN, model, PARAMS, VIEW)


def test_frames_before_the_face_are_left_out(model, tmp_path):
    frames = read_clip(TURN)
    late = np.concatenate([np.full_like(frames[:5], 90), frames])
    write_clip(tmp_path / "late.mp4", late, 8)
    answer = predict(tmp_path / "late.mp4", model, PARAMS, VIEW)
    assert answer.frames == (5, 21)
    assert answer.probabilities == predict(TURN, model, PARAMS, VIEW).probabilities


@pytest.mark.parametrize("turned", [1, 2])
def test_a_film_that_lies_without_saying_so_is_turned(model, tmp_path, turned):
    lying = np.ascontiguousarray(np.rot90(read_clip(TURN), turned, axes=(1, 2)))
    write_clip(tmp_path / "lying.mp4", lying, 8)
    answer = predict(tmp_path / "lying.mp4", model, PARAMS, VIEW)
    assert answer.probabilities == predict(TURN, model, PARAMS, VIEW).probabilities
    assert "it was turned upright" in answer.notes[0]


def test_black_and_faded_ends_change_no_answer(model, tmp_path):
    frames = read_clip(TURN)
    black, up = np.zeros_like(frames[:3]), np.linspace(0, 0.7, 4)[:, None, None, None]
    fade = (up * frames[:4]).astype(np.uint8)
    write_clip(tmp_path / "faded.mp4", np.concatenate([black, fade, frames, fade[::-1], black]), 8)
    answer = predict(tmp_path / "faded.mp4", model, PARAMS, VIEW)
    assert answer.frames == (7, 23)
    assert answer.probabilities == predict(TURN, model, PARAMS, VIEW).probabilities


def test_a_photograph_of_a_real_face_is_looked_at(model, tmp_path, astronaut):
    write_clip(tmp_path / "real.mp4", astronaut(size=300), 8)
    assert predict(tmp_path / "real.mp4", model, PARAMS, VIEW).windows == 9


def test_no_face_is_a_polite_sentence(model, tmp_path):
    texture = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3)).astype(np.uint8)
    write_clip(tmp_path / "wall.mp4", np.kron(texture, np.ones((1, 16, 16, 1), np.uint8)), 8)
    with pytest.raises(ClipError, match=r"no face was found in wall.mp4; show one person"):
        predict(tmp_path / "wall.mp4", model, PARAMS, VIEW)


def test_too_short_a_look_is_said(model, tmp_path):
    write_clip(tmp_path / "short.mp4", read_clip(TURN)[:6], 8)
    with pytest.raises(ClipError, match=r"seen for 0.8 s; the model needs 1.0 s"):
        predict(tmp_path / "short.mp4", model, PARAMS, VIEW)


def recoded(video, *, before=(), after=(), source=TURN):
    """`video` made from `source` by ffmpeg itself, as a camera or a phone would write it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *before, "-i", str(source)]
    subprocess.run([*command, *after, str(video)], check=True)
    return video


def test_a_phone_held_upright_is_read_upright(model, tmp_path):
    lying = np.rot90(read_clip(TURN), axes=(1, 2))
    write_clip(tmp_path / "lying.mp4", np.ascontiguousarray(lying), 8)
    phone = recoded(
        tmp_path / "phone.mp4", before=["-display_rotation", "-90"], after=["-c", "copy"],
        source=tmp_path / "lying.mp4",
    )  # fmt: skip
    assert predict(phone, model, PARAMS, VIEW) == predict(TURN, model, PARAMS, VIEW)


def test_sixteen_bits_a_colour_are_read(model, tmp_path):
    deep = recoded(tmp_path / "deep.mkv", after=["-c:v", "ffv1", "-pix_fmt", "gbrp16le"])
    got, plain = predict(deep, model, PARAMS, VIEW), predict(TURN, model, PARAMS, VIEW)
    assert got.probabilities == pytest.approx(plain.probabilities, abs=0.02)
    assert got.frames == plain.frames


@pytest.mark.parametrize("name", ["clip.avi", "clip.mov", "clip.MP4"])
def test_what_counts_is_the_content_not_the_name(model, tmp_path, name):
    (tmp_path / name).write_bytes(TURN.read_bytes())
    assert predict(tmp_path / name, model, PARAMS, VIEW) == predict(TURN, model, PARAMS, VIEW)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_cut_short_is_one_sentence(model, tmp_path, share):
    whole = TURN.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: round(share * len(whole))])
    with pytest.raises(ClipError, match=r"cut\.mp4 cannot be read as a video$"):
        predict(tmp_path / "cut.mp4", model, PARAMS, VIEW)


def test_one_frame_and_four_faces_are_polite_sentences(model, tmp_path):
    frames = read_clip(TURN)
    write_clip(tmp_path / "one.mp4", frames[:1], 8)
    with pytest.raises(ClipError, match="has 1 frame; motion needs two or more"):
        predict(tmp_path / "one.mp4", model, PARAMS, VIEW)
    write_clip(tmp_path / "four.mp4", np.tile(frames, (1, 2, 2, 1)), 8)
    with pytest.raises(ClipError, match=r"shows [234] faces of like size"):
        predict(tmp_path / "four.mp4", model, PARAMS, VIEW)


def test_missing_or_foreign_model_is_one_sentence(tmp_path):
    with pytest.raises(AssetError, match="no model file"):
        predict(TURN, tmp_path / "none.safetensors", PARAMS, VIEW)
    (tmp_path / "odd.safetensors").write_bytes(b"odd")
    with pytest.raises(AssetError, match="not a safetensors file"):
        predict(TURN, tmp_path / "odd.safetensors", PARAMS, VIEW)


def test_a_study_that_compares_has_no_answer_about_one_video(tmp_path):
    network = build("framecnn", classes=5, channels=2, size=64, frames=8, parameters={"width": 4})
    path = tmp_path / "compares.safetensors"
    Classifier("framecnn", network, LABELS, 8).save(path)
    with pytest.raises(StudyError, match="compares each clip with one of 'calm'"):
        predict(TURN, path, PARAMS, Input(reference="calm"))
