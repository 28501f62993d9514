"""A decoder that blends: what it paints, what it leaves to the warped source."""

import dataclasses

import pytest
import torch

from fomm.config import CONFIGS
from fomm.generator import Generator
from fomm.initial import pass_through
from fomm.keypoints import KeyPoints


@pytest.fixture
def generator():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Generator(dataclasses.replace(CONFIGS["blend-128"], width=8)).eval()


@pytest.fixture
def image():
    return torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))


def points(seed):
    where = torch.rand(2, 10, 2, generator=torch.Generator().manual_seed(seed)) - 0.5
    return KeyPoints(where, torch.eye(2).expand(2, 10, 2, 2))


@torch.no_grad()
def share(generator, logit):
    """Let the decoder put its colours over everything (+) or nothing (-)."""
    generator.final.weight[3] = 0
    generator.final.bias[3] = logit


@torch.no_grad()
def test_without_a_share_the_warped_source_is_the_picture(generator, image):
    share(generator, -100)
    made = generator(image, points(1), points(2))
    torch.testing.assert_close(made.prediction, made.deformed)


@torch.no_grad()
def test_with_the_whole_share_the_painted_colours_are(generator, image):
    share(generator, 100)
    made = generator(image, points(1), points(2))
    assert (made.prediction - made.deformed).abs().mean() > 0.05
    assert made.prediction.shape == (2, 3, 128, 128)


@torch.no_grad()
def test_what_is_painted_follows_a_key_point(generator):
    grey, still = torch.full((2, 3, 128, 128), 0.5), points(1)
    share(generator, 100)
    moved = KeyPoints(still.value.clone(), still.jacobian)
    moved.value[:, 0] += 0.1
    one, other = (generator(grey, still, to).prediction for to in (still, moved))
    changed = (one - other).abs().amax(1)[0]
    x, y = ((still.value[0, 0] + 1) / 2 * 127).round().int().tolist()
    assert changed[max(0, y - 8) : y + 8, max(0, x - 8) : x + 20].max() > 0.9 * changed.max() > 0


@torch.no_grad()
def test_a_new_decoder_knows_no_places(generator):
    pass_through(generator)
    assert not any(parameter.any() for parameter in generator.places.parameters())


def test_colours_are_reproduced_without_their_share(generator, image):
    assert generator.reproduce(image).shape == image.shape
