"""Training losses give the published model's numbers."""

import numpy as np
import pytest
import torch

from fomm import losses
from fomm.geometry import gaussians, grid
from fomm.keypoints import KeyPoints
from fomm.warps import Warp, random_warp


@pytest.fixture(scope="module")
def numbers(golden):
    return golden("losses_s31")


@pytest.fixture(scope="module")
def warp(numbers):
    return Warp(torch.from_numpy(numbers["theta"]), torch.from_numpy(numbers["control_params"]))


def tensor(numbers, name):
    return torch.from_numpy(numbers[name])


def points(numbers, name):
    value = "kp_driving" if name == "driving" else "kp_transformed"
    return KeyPoints(tensor(numbers, value), tensor(numbers, f"jac_{name}"))


def test_warped_frame(numbers, warp):
    image = tensor(numbers, "image_u8").permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(
        warp.frames(image), tensor(numbers, "transformed_frame"), atol=2e-4, rtol=0
    )


def test_warped_points(numbers, warp):
    found = warp.points(tensor(numbers, "kp_transformed"))
    torch.testing.assert_close(found, tensor(numbers, "warped_kp"), atol=2e-6, rtol=0)


def test_warp_jacobian(numbers, warp):
    found = warp.jacobian(tensor(numbers, "kp_transformed"))
    torch.testing.assert_close(found, tensor(numbers, "transform_jacobian"), atol=2e-5, rtol=0)


def test_equivariance(numbers, warp):
    driving, transformed = points(numbers, "driving"), points(numbers, "transformed")
    value = losses.equivariance_value(driving, warp.points(transformed.value))
    affine = warp.jacobian(transformed.value)
    jacobian = losses.equivariance_jacobian(driving, transformed, affine)
    assert 10 * value.item() == pytest.approx(numbers["loss_equivariance_value"], abs=2e-5)
    assert 10 * jacobian.item() == pytest.approx(numbers["loss_equivariance_jacobian"], abs=2e-5)


def test_pyramid(numbers):
    image = tensor(numbers, "pyramid_in_u8").permute(2, 0, 1)[None] / 255
    levels = losses.pyramid(image)
    for level, name in zip(levels[1:], ["pyr_0p5", "pyr_0p25", "pyr_0p125"], strict=True):
        torch.testing.assert_close(level, tensor(numbers, name), atol=2e-6, rtol=0)


def test_gaussians_and_grid(numbers):
    found = gaussians(tensor(numbers, "kp_driving"), 16, 16)
    torch.testing.assert_close(found, tensor(numbers, "gaussian_16x16"), atol=2e-6, rtol=0)
    torch.testing.assert_close(grid(4, 6, found), tensor(numbers, "grid_4x6"), atol=1e-6, rtol=0)


def test_adversarial_losses(numbers, uniform):
    real, fake = uniform("dr", (2, 1, 13, 13)), uniform("dg", (2, 1, 13, 13))
    assert losses.lsgan_generator(fake).item() == pytest.approx(numbers["lsgan_g"], abs=1e-5)
    found = losses.lsgan_discriminator(real, fake).item()
    assert found == pytest.approx(numbers["lsgan_d"], abs=1e-5)


def test_feature_matching(numbers, uniform):
    real, fake = uniform("fr", (2, 8, 9, 9)), uniform("fg", (2, 8, 9, 9))
    found = 10 * losses.feature_matching([real], [fake]).item()
    assert found == pytest.approx(numbers["feature_matching_10"], abs=1e-4)


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


def test_random_warps_repeat_by_seed():
    one, other = (random_warp(2, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(one.affine, other.affine)
    assert torch.equal(one.control, other.control)
