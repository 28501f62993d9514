"""Training losses, the pyramid against the published model's numbers."""

import pytest
import torch

from fomm import losses
from fomm.geometry import gaussians, grid


@pytest.fixture(scope="module")
def numbers(golden):
    return golden("losses_s31")


def tensor(numbers, name):
    return torch.from_numpy(numbers[name])


def test_pyramid(numbers):
    image = tensor(numbers, "pyramid_in_u8").permute(2, 0, 1)[None] / 255
    levels = losses.pyramid(image)
    for level, name in zip(levels[1:], ["pyr_0p5", "pyr_0p25", "pyr_0p125"], strict=True):
        torch.testing.assert_close(level, tensor(numbers, name), atol=2e-6, rtol=0)


def test_gaussians_and_grid(numbers):
    found = gaussians(tensor(numbers, "kp_driving"), 16, 16)
    torch.testing.assert_close(found, tensor(numbers, "gaussian_16x16"), atol=2e-6, rtol=0)
    torch.testing.assert_close(grid(4, 6, found), tensor(numbers, "grid_4x6"), atol=1e-6, rtol=0)


def test_losses_of_equal_frames_are_zero(uniform):
    image = uniform("any", (1, 3, 64, 64)).abs()
    weight = torch.ones(1, 1, 64, 64)
    assert losses.pyramid_loss(image, image) == 0
    assert losses.gradient_loss(image, image) == 0
    assert losses.weighted_loss(image, image, weight) == 0


def test_weighted_loss_sees_only_its_region():
    weight = torch.zeros(1, 1, 8, 8)
    weight[..., :4] = 1
    wrong = torch.zeros(1, 3, 8, 8)
    wrong[..., 4:] = 1
    assert losses.weighted_loss(wrong, torch.zeros_like(wrong), weight) == 0
    assert losses.weighted_loss(wrong, torch.zeros_like(wrong), 1 - weight) == 1
