"""Occlusion: what a network is built to look at is what is said to count."""

import numpy as np
import pytest
import torch

from models import Classifier, Network, Sizes
from pipeline.evaluation.occlusion import CELLS, draw, explain


class Corner(Network):
    """Says `yes` by how bright the upper left part of frame 2 of its window is."""

    def __init__(self):
        super().__init__(Sizes(classes=2, channels=1, size=32, frames=4), None)

    def forward(self, windows):
        bright = windows[:, 2, 0, :4, :4].mean(dim=(1, 2))
        return torch.stack([8 * bright, torch.full_like(bright, 2.0)], dim=1)


@pytest.fixture
def crops():
    frames = np.full((6, 32, 32), 20, np.uint8)
    frames[3, :4, :4] = 255
    return frames


@pytest.fixture
def model():
    return Classifier("corner", Corner(), ("yes", "no"), 4)


def test_the_frame_and_the_part_that_it_looks_at_count_and_nothing_else(model, crops):
    found = explain(model, crops, [1], "yes")
    assert found.share > 0.9
    assert found.frames.argmax() == 3
    assert np.abs(np.delete(found.frames, 3)).max() < 1e-9
    assert np.unravel_index(found.parts.argmax(), found.parts.shape) == (0, 0)
    assert np.abs(found.parts.ravel()[1:]).max() < 1e-9
    assert "covering frame 3 costs yes" in found.sentence()
    assert "at the top on the picture's left" in found.sentence()


def test_windows_are_meant_together_and_its_own_class_is_asked_by_default(model, crops):
    one, two = explain(model, crops, [1], "yes"), explain(model, crops, [0, 1], "yes")
    assert two.share == pytest.approx((one.share + explain(model, crops, [0], "yes").share) / 2)
    assert explain(model, crops, [0]).label == "no"


def test_what_moves_nothing_is_said(model):
    flat = np.full((6, 32, 32), 20, np.uint8)
    assert "no single frame or part decides" in explain(model, flat, [0]).sentence()


@pytest.mark.parametrize("colours", [(), (3,)])
def test_it_is_drawn_with_a_bar_a_frame(model, crops, colours):
    found = explain(model, crops, [1], "yes")
    seen = np.broadcast_to(crops[..., None], (*crops.shape, 3)) if colours else crops
    picture = draw(found, seen)
    assert picture.shape == (96 + 48 + 4 * 96, 6 * 96, 3)
    bar = picture[96 + 40, 3 * 96 + 48]
    assert bar[0] > bar[1]
    assert CELLS == 8
