"""Faults of photographs: each does what its name says, and none does nothing."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from fomm.data import Faults, draw_batch
from fomm.degrade import blurred, degraded, faults, jpeg_traces

PHOTO = skimage.data.astronaut()[40:168, 160:288]


@pytest.fixture(scope="module")
def photo():
    return torch.from_numpy(PHOTO).permute(2, 0, 1).float() / 255


def pixels(image):
    return (image.permute(1, 2, 0).numpy() * 255).round()


@pytest.mark.parametrize("quality", [20, 50, 80])
def test_jpeg_leaves_the_traces_that_a_library_leaves(photo, quality):
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
               cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # fmt: skip
    _, coded = cv2.imencode(".jpg", PHOTO[..., ::-1], options)
    theirs = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    ours = pixels(jpeg_traces(photo, quality))
    assert np.abs(ours - theirs).mean() < 0.35 * np.abs(PHOTO - theirs).mean()


def test_jpeg_takes_any_size(photo):
    assert jpeg_traces(photo[:, :37, :50], 40).shape == (3, 37, 50)


def test_blur_is_a_gaussian(photo):
    theirs = cv2.GaussianBlur(PHOTO.astype(float), (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(pixels(blurred(photo, 1.2)) - theirs).mean() < 1


def test_a_cast_changes_channels_by_themselves(photo):
    rng = np.random.default_rng(1)
    made = degraded(photo[None], faults(1, 0.2, 0, 0, rng))[0]
    ratios = made.mean(dim=(1, 2)) / photo.mean(dim=(1, 2))
    assert ratios.max() - ratios.min() > 0.05


def test_nothing_is_drawn_and_changed_when_all_are_off(photo):
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    assert faults(4, 0, 0, 0, rng) == {}
    assert rng.random() == other.random()
    assert degraded(photo[None], {}) is not None


def test_a_pair_shares_its_faults(performances):
    data = performances(2, 1, 2)
    plain, worn = (
        draw_batch(data, 2, 0.5, np.random.default_rng(3), worn=which)
        for which in (Faults(), Faults(0.1, 1.0, 1.0))
    )
    for role in plain.frames:
        assert torch.equal(plain.landmarks[role], worn.landmarks[role])
        assert not torch.equal(plain.frames[role], worn.frames[role])
    alike = draw_batch(data, 2, 0.5, np.random.default_rng(3))
    assert all(torch.equal(plain.frames[role], alike.frames[role]) for role in plain.frames)
