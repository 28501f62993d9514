"""A prepared model gives the model's own frames, faster."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fomm
from fomm import tiles
from fomm.fast import prepare
from fomm.folded import Convolution, FastResidual, Up, folded
from fomm.layers import ResidualBlock, UpBlock

compiled = pytest.mark.skipif(bool(tiles.reason()), reason=tiles.reason())


@pytest.fixture(scope="module")
def model(saved):
    return fomm.load_checkpoint(saved("compact-128", 14), "compact-128")


@pytest.fixture(scope="module")
def faces(golden):
    numbers = golden("c128_anim5_s14")
    source, driving = (
        numbers[name].astype(np.float32) / 255 for name in ("source_u8", "driving_u8")
    )
    return source, driving[:2]


def trained(block, rng=0):
    """The block with norms that do something."""
    torch.manual_seed(rng)
    for layer in block.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean):
                nn.init.normal_(values, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    return block.eval()


def agree(found, wanted):
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(4, 6), (16, 16), (32, 16)])
@torch.no_grad()
def test_up(size):
    block = trained(UpBlock(5, 7))
    x = torch.randn(3, 5, *size)
    agree(Up(*folded(block.conv, block.norm))(x), block(x))


@pytest.mark.parametrize("size", [6, 32])
@torch.no_grad()
def test_residual(size):
    block = trained(ResidualBlock(6))
    x = torch.randn(2, 6, size, size)
    agree(FastResidual(block)(x), block(x))


@torch.no_grad()
def test_large_kernels_stay():
    weight, bias = torch.randn(2, 3, 7, 7), torch.randn(2)
    x = torch.randn(1, 3, 32, 32)
    agree(Convolution(weight, bias)(x), F.conv2d(x, weight, bias, padding=3))


def test_the_prepared_model_animates_alike(model, faces):
    prepared = prepare(model)
    assert (prepared.mode, prepared.because) == ("exact", "nothing faster was asked for")
    found, wanted = prepared.model.animate(*faces), model.animate(*faces)
    assert np.abs(found - wanted).max() <= 2e-4
    assert np.abs(found - wanted).mean() <= 2e-6


def test_a_prepared_decoder_blends_alike(committed, faces):
    found, wanted = (m.animate(*faces) for m in (prepare(committed).model, committed))
    assert np.abs(found - wanted).max() <= 2e-4
    assert np.abs(found - wanted).mean() <= 2e-6


def test_the_prepared_model_finds_the_same_key_points(model, faces):
    found, wanted = (m.keypoints(faces[1]) for m in (prepare(model).model, model))
    torch.testing.assert_close(found.value, wanted.value, atol=2e-5, rtol=0)
    torch.testing.assert_close(found.jacobian, wanted.jacobian, atol=2e-5, rtol=0)


def test_golden_prediction_of_the_prepared_model(saved, golden):
    numbers = golden("c128_s13")
    prepared = prepare(fomm.load_checkpoint(saved("compact-128", 13), "compact-128")).model
    pair = [
        fomm.KeyPoints(*(torch.from_numpy(numbers[f"{name}_{part}"]) for part in
                         ("value", "jacobian")))
        for name in ("kp_source", "kp_norm_relative_adapt")
    ]  # fmt: skip
    found = prepared.generate(numbers["source_u8"], *pair).prediction.numpy()
    error = np.abs(found - numbers["prediction_u16"] / 65535)
    assert error.max() <= 2e-3
    assert error.mean() <= 2e-5


def test_the_model_itself_is_left_alone(model, faces):
    before = model.animate(*faces)
    prepare(model, "fast")
    assert np.array_equal(model.animate(*faces), before)


def off(prepared, model, faces):
    return np.abs(prepared.model.animate(*faces) - model.animate(*faces))


def test_fast_decodes_in_half_where_there_are_matrix_units(model, faces, monkeypatch):
    monkeypatch.setattr(tiles, "matrix_units", lambda: True)
    prepared = prepare(model, "fast")
    assert prepared.mode == "fast"
    assert prepared.because == "this processor has matrix units for bfloat16"
    assert prepared.model.generator.final.weight.dtype == torch.bfloat16
    error = off(prepared, model, faces)
    assert error.mean() <= 1e-2
    assert error.max() > 1e-3


@compiled
def test_fast_takes_larger_tiles_elsewhere(model, faces, monkeypatch):
    monkeypatch.setattr(tiles, "matrix_units", lambda: False)
    prepared = prepare(model, "fast")
    assert prepared.mode == "fast"
    assert "larger tiles" in prepared.because
    error = off(prepared, model, faces)
    assert error.mean() <= 1e-3
    assert error.max() <= 2e-2


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_without_a_compiler_torch_works_exactly(model, faces, mode, monkeypatch):
    monkeypatch.setattr(tiles, "matrix_units", lambda: False)
    monkeypatch.setattr(tiles, "reason", lambda: "there is no C compiler (cc)")
    prepared = prepare(model, mode)
    assert prepared.mode == "exact"
    assert "no C compiler" in prepared.how
    assert ("no C compiler" in prepared.because) == (mode == "fast")
    assert off(prepared, model, faces).mean() <= 2e-6


def test_a_portrait_performs_many_clips(model, faces):
    source, driving = faces
    points, portrait = model.keypoints(driving), model.portrait(source)
    assert portrait.small.shape == (1, 3, 64, 64)
    assert np.array_equal(model.perform(portrait, points), model.perform(source, points))
    assert model.perform(portrait, points).dtype == source.dtype


def test_unknown_mode(model):
    with pytest.raises(fomm.MotionError, match="'faster'; known: exact, fast"):
        prepare(model, "faster")
