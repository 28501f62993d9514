"""The compiled convolutions are the convolutions, and their memory is nobody else's."""

import subprocess

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fomm import pages, tiles, transforms
from fomm.folded import Convolution, FastResidual, Up, Window
from fomm.layers import ResidualBlock

compiled = pytest.mark.skipif(bool(tiles.reason()), reason=tiles.reason())
ERROR = {4: 2e-4, 6: 2e-4, 8: 4e-3}  # of unit outputs


@pytest.mark.parametrize("tile", [4, 6, 8])
def test_transforms_multiply_to_the_correlation(tile):
    analysis, kernel, synthesis = transforms.matrices(tile)
    x, g = (torch.randn(n, dtype=torch.float64) for n in (tile + 2, 3))
    wanted = F.conv1d(x[None, None], g[None, None])[0, 0]
    found = synthesis @ ((kernel @ g) * (analysis @ x))
    torch.testing.assert_close(found, wanted)


@compiled
@pytest.mark.parametrize("tile", [4, 6, 8])
@pytest.mark.parametrize("shape", [(1, 16, 8, 8), (3, 44, 17, 30), (2, 3, 64, 66)])
@torch.no_grad()
def test_any_shape(tile, shape):
    torch.manual_seed(0)
    x, bias = torch.randn(shape), torch.randn(32)
    weight = torch.randn(32, shape[1], 3, 3) / (9 * shape[1]) ** 0.5
    found = tiles.convolve(x, tiles.packed_kernel(weight, tile), bias, tile, relu=True)
    wanted = F.conv2d(x, weight, bias, padding=1).relu()
    torch.testing.assert_close(found, wanted, atol=ERROR[tile], rtol=0)


@compiled
@pytest.mark.parametrize("threads", [1, 2, 3])
@torch.no_grad()
def test_threads_share_the_tiles(threads, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    x, weight = torch.randn(2, 8, 64, 64), torch.randn(16, 8, 3, 3) / 8
    found = Convolution(weight, torch.zeros(16), 6)(x)
    torch.testing.assert_close(found, F.conv2d(x, weight, padding=1), atol=2e-4, rtol=0)


@compiled
@pytest.mark.parametrize("size", [4, 40])
@torch.no_grad()
def test_doubling(size):
    x, weight, bias = (
        torch.randn(2, 24, size, size),
        torch.randn(32, 24, 3, 3) / 15,
        torch.randn(32),
    )
    wanted = F.conv2d(F.interpolate(x, scale_factor=2.0), weight, bias, padding=1).relu()
    torch.testing.assert_close(Up(weight, bias, 6)(x), wanted, atol=2e-4, rtol=0)


@compiled
@torch.no_grad()
def test_residual():
    block = ResidualBlock(16).eval()
    for norm in (block.norm1, block.norm2):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    x = torch.randn(2, 16, 20, 20)
    torch.testing.assert_close(FastResidual(block, 6)(x), block(x), atol=2e-4, rtol=0)


@compiled
@pytest.mark.parametrize(
    ("outputs", "padding", "size"), [(1, 3, 8), (3, 3, 30), (4, 3, 16), (50, 0, 13)]
)
@torch.no_grad()
def test_windows_of_any_number_of_outputs(outputs, padding, size):
    conv = nn.Conv2d(35, outputs, 7, padding=padding)
    x = torch.randn(2, 35, size, size)
    torch.testing.assert_close(Window(conv)(x), conv(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [("torch.backends.cpu.get_cpu_capability", lambda: "DEFAULT", "no AVX2"),
     ("torch.cpu._is_amx_tile_supported", lambda: True, "AMX"),
     ("shutil.which", lambda name: None, "no C compiler"),
     ("fomm.tiles.library", lambda tile: subprocess.run(["false"], check=True), "compiler failed")],
)  # fmt: skip
def test_why_not(attribute, value, told, monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/cc")
    monkeypatch.setattr(attribute, value)
    assert told in tiles.reason.__wrapped__()


def test_memory_is_used_again_only_when_nothing_holds_it():
    first = pages.spacious(3, 4, 5)
    place, view = first.data_ptr(), first.permute(2, 0, 1)[1:]
    del first
    assert pages.spacious(60).data_ptr() != place
    del view
    again = [pages.spacious(60) for _ in range(2)]
    assert place in [tensor.data_ptr() for tensor in again]
    assert again[0].data_ptr() != again[1].data_ptr()


def test_idle_memory_has_a_limit(monkeypatch):
    monkeypatch.setattr(pages, "_pages", [])
    monkeypatch.setattr(pages, "LIMIT", 1000)
    kept = pages.spacious(100)
    for count in (200, 300, 400):
        pages.spacious(count)
    assert len(pages._pages) <= 3
    assert kept.data_ptr() == torch.frombuffer(pages._pages[0], dtype=torch.float32).data_ptr()
