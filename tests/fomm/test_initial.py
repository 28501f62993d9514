"""A generator that has not learned anything yet already shows the picture's colours."""

import numpy as np
import pytest
import torch

from fomm.config import CONFIGS
from fomm.generator import Generator
from fomm.initial import pass_through, take_over
from fomm.model import MotionModel


@pytest.fixture
def generator():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Generator(CONFIGS["compact-128"])


@pytest.fixture
def faces(performances):
    frames = performances(4, 1, 2).frames[:, 0, 0]
    return torch.from_numpy(frames).permute(0, 3, 1, 2) / 255


def likeness(generator, faces):
    """Correlation of input and output colours, both seen at an eighth of the size."""
    with torch.no_grad():
        made = generator.reproduce(faces)
    small = [torch.nn.functional.avg_pool2d(x, 8).flatten().numpy() for x in (faces, made)]
    return np.corrcoef(small)[0, 1]


def test_colours_pass_through(generator, faces):
    before = likeness(generator, faces)
    pass_through(generator)
    assert likeness(generator, faces) > max(0.9, before)


def test_detail_still_has_filters_to_learn_with(generator):
    pass_through(generator)
    assert generator.first.conv.weight[6:].abs().sum() > 0
    assert generator.bottleneck.r0.conv1.weight.abs().sum() > 0


def test_another_decoder_takes_over_the_motion_networks_alone():
    start, model = (MotionModel(CONFIGS[name]) for name in ("compact-128", "blend-128"))
    painted = model.generator.first.conv.weight.clone()
    take_over(model, start)
    for part in ("kp_detector", "generator.dense_motion_network"):
        pairs = (m.get_submodule(part).parameters() for m in (start, model))
        assert all(torch.equal(one, other) for one, other in zip(*pairs, strict=True))
    assert torch.equal(model.generator.first.conv.weight, painted)
