"""Predictions through the real chain; the network's weights are random, its answers are its own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models import Classifier, build
from pipeline.errors import AssetError, ClipError
from pipeline.params import FaceParams, Params
from pipeline.predict import predict
from pipeline.video import read_clip, write_clip

TURN = Path(__file__).parents[1] / "data" / "faces" / "turn.mp4"  # 16 frames at 8 a second
LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
PARAMS = Params(faces=FaceParams(detector="haar"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("convlstm", classes=5, hidden=4, stem=4)
    path = tmp_path_factory.mktemp("model") / "clean.safetensors"
    Classifier("convlstm", network, LABELS, 8).save(path)
    return path


def test_every_class_has_its_probability_and_the_frames_are_named(model):
    answer = predict(TURN, model, PARAMS)
    assert set(answer.probabilities) == set(LABELS)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.probabilities[answer.label] == max(answer.probabilities.values())
    assert (answer.frames, answer.fps, answer.windows) == ((0, 16), 8, 9)
    assert answer.detector == "haar"


def test_same_video_same_answer_at_another_rate(model, tmp_path):
    write_clip(tmp_path / "fast.mp4", np.repeat(read_clip(TURN), 3, axis=0), 24)
    assert predict(tmp_path / "fast.mp4", model, PARAMS) == predict(TURN, model, PARAMS)


def test_frames_before_the_face_are_left_out(model, tmp_path):
    frames = read_clip(TURN)
    late = np.concatenate([np.full_like(frames[:5], 90), frames])
    write_clip(tmp_path / "late.mp4", late, 8)
    answer = predict(tmp_path / "late.mp4", model, PARAMS)
    assert answer.frames == (5, 21)
    assert answer.probabilities == predict(TURN, model, PARAMS).probabilities


def test_a_photograph_of_a_real_face_is_looked_at(model, tmp_path, astronaut):
    write_clip(tmp_path / "real.mp4", astronaut(size=300), 8)
    assert predict(tmp_path / "real.mp4", model, PARAMS).windows == 9


def test_no_face_is_a_polite_sentence(model, tmp_path):
    texture = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3)).astype(np.uint8)
    write_clip(tmp_path / "wall.mp4", np.kron(texture, np.ones((1, 16, 16, 1), np.uint8)), 8)
    with pytest.raises(ClipError, match=r"no face was found in wall.mp4; show one person"):
        predict(tmp_path / "wall.mp4", model, PARAMS)


def test_too_short_a_look_is_said(model, tmp_path):
    write_clip(tmp_path / "short.mp4", read_clip(TURN)[:6], 8)
    with pytest.raises(ClipError, match=r"seen for 0.8 s; the model needs 1.0 s"):
        predict(tmp_path / "short.mp4", model, PARAMS)


def test_missing_or_foreign_model_is_one_sentence(tmp_path):
    with pytest.raises(AssetError, match="no model file"):
        predict(TURN, tmp_path / "none.safetensors", PARAMS)
    (tmp_path / "odd.safetensors").write_bytes(b"odd")
    with pytest.raises(AssetError, match="not a safetensors file"):
        predict(TURN, tmp_path / "odd.safetensors", PARAMS)
