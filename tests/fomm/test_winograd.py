"""Winograd's convolution is the convolution."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from fomm import winograd


@given(
    count=st.integers(1, 5), inputs=st.integers(1, 9), outputs=st.integers(1, 9),
    high=st.integers(4, 20), wide=st.integers(16, 20), seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=20)
def test_any_shape(count, inputs, outputs, high, wide, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(count, inputs, 4 * high, 4 * wide, generator=rng)
    weight = torch.randn(outputs, inputs, 3, 3, generator=rng)
    bias = torch.randn(outputs, generator=rng)
    assert winograd.fits(x)
    found = winograd.convolve(x, winograd.transformed_kernel(weight), bias)
    wanted = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    assert (found - wanted).abs().max() <= 2e-4
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_phases_are_pixels_of_a_larger_picture():
    x, weight = torch.randn(2, 3, 16, 20), torch.randn(8, 3, 3, 3)
    found = winograd.convolve(x, winograd.transformed_kernel(weight), torch.zeros(8), double=True)
    by_phase = F.conv2d(x, weight, padding=1).unflatten(1, (2, 2, 2))
    assert found.shape == (2, 2, 32, 40)
    for i in (0, 1):
        for j in (0, 1):
            torch.testing.assert_close(
                found[:, :, i::2, j::2], by_phase[:, i, j], atol=1e-4, rtol=0
            )


@pytest.mark.parametrize(
    ("shape", "kind", "fits"),
    [((16, 16), torch.float32, True), ((16, 18), torch.float32, False),
     ((8, 8), torch.float32, False), ((64, 64), torch.bfloat16, False)],
)  # fmt: skip
def test_what_fits(shape, kind, fits):
    assert winograd.fits(torch.zeros(1, 2, *shape, dtype=kind)) == fits
