"""Distances of clips from a corpus: strangers lie as strangers do, other looks lie far."""

import numpy as np
import pytest
import torch

from models import Classifier, build
from pipeline.evaluation.afar import Yardstick, afar, features, looks
from pipeline.evaluation.kinds import corpus_features
from pipeline.media.video import read_clip
from pipeline.splits.tables import read_tracks


def test_strangers_are_as_far_as_strangers_and_others_farther():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(6, 40))
    draw = lambda n: rng.normal(size=(n, 6)) @ spread + rng.normal(0, 0.1, (n, 40))  # noqa: E731
    yardstick = Yardstick.fitted(draw(200), draw(60))
    near, far = yardstick.row(draw(60)), yardstick.row(draw(60) + 2 * rng.normal(size=40))
    assert near["times"] == pytest.approx(1, abs=0.15)
    assert near["far"] < 0.2
    assert far["times"] > 2
    assert far["far"] == 1


def test_too_small_a_corpus_says_nothing():
    few = {"looks": np.zeros((7, 3))}
    assert afar(few, few, few) == {}


def test_another_light_and_colour_are_far(line):
    clips = [read_clip(line.workspace.faces / f"{t.clip_id}.mp4")[0]
             for t in read_tracks(line.workspace.faces)]  # fmt: skip
    half = len(clips) // 2
    yardstick = Yardstick.fitted(looks(clips[:half]), looks(clips[half:]))
    blue = [np.clip(crop * [0.4, 0.5, 1.0], 0, 255).astype(np.uint8) for crop in clips[half:]]
    assert yardstick.row(looks(blue))["far"] > yardstick.row(looks(clips[half:]))["far"] + 0.5


@pytest.mark.parametrize(("network", "width"), [("convlstm", 64), ("minixception", 5)])
def test_features_are_what_the_last_layer_is_given(network, width):
    frames = 4 if network == "convlstm" else 1
    parameters = {"hidden": 4, "stem": 4} if network == "convlstm" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = build(network, classes=5, channels=1, size=64, frames=frames, parameters=parameters)
    model = Classifier(network, built, tuple("abcde"), frames)
    windows = np.random.default_rng(0).integers(0, 256, (3, frames, 64, 64), dtype=np.uint8)
    found = features(model, windows)
    assert len(found) == 3
    assert found.shape[1] >= width or network == "convlstm"
    assert np.ptp(found, axis=0).max() > 0


def test_a_corpus_gives_both_kinds_of_both_sides(line):
    from models import load

    model = load(line.workspace.model("display", "convlstm", "clean"))
    trained, strangers = corpus_features(line.workspace, "clean", model)
    for kind in ("looks", "features"):
        assert trained[kind].shape[1] == strangers[kind].shape[1]
        assert len(trained[kind]) > len(strangers[kind]) > 0
    assert corpus_features(line.workspace, "no draw", model) is None
