"""Convolutions compiled for this processor from `tiles.c`, where torch's own are slower.

Winograd's F(m x m, 3 x 3) (Lavin & Gray, "Fast algorithms for convolutional neural networks", 2016)
spends half its time on transforms when each step of them is a torch operation of its own; compiled,
they run on registers. A C
compiler is asked for once a process; `reason()` says why there is none of this.
"""

import ctypes
import shutil
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from fomm import transforms
from fomm.pages import spacious

LANES, WIDE, FEW = 8, 16, 3  # as in tiles.c: floats a register, outputs of a product, of a window
LEAST = {4: 0, 6: 64, 8: 16}  # pixels a side from which a tile size pays, as measured
POINTERS = ("x", "gain", "shift", "kernel", "bias", "shortcut", "y")  # of a Layer, in its order
NUMBERS = ("count", "high", "wide", "inputs", "outputs", "step", "relu")
_own = threading.local()


class _Layer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in POINTERS] + [
        (name, ctypes.c_int) for name in NUMBERS
    ]


@cache
def reason() -> str:
    """Why compiled tiles cannot be had here, or an empty string."""
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        return "this processor has no AVX2"
    if matrix_units():
        return "this processor has AMX, where torch's own convolutions are faster"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    try:
        library(4)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the C compiler failed ({error})"
    return ""


def matrix_units() -> bool:
    """Whether the processor multiplies matrices of bfloat16 (AMX): far faster than by vectors."""
    return bool(torch.cpu._is_amx_tile_supported())


@cache
def library(tile: int) -> ctypes.CDLL:
    """`tiles.c` with the transforms of one tile size."""
    with tempfile.TemporaryDirectory() as folder:
        source, part, built = (Path(folder, f"tiles.{end}") for end in ("c", "o", "so"))
        source.write_text(transforms.source(tile) + Path(__file__).with_suffix(".c").read_text())
        flags = ["-O3", "-march=native", "-std=gnu11", "-fPIC", "-fopenmp", "-Wno-psabi"]
        # Linked without an OpenMP library, so that torch's is found: threads of a second one would
        # share the cores with torch's, which go on spinning for a while after each operation.
        subprocess.run(["cc", "-c", *flags, source, "-o", part], check=True, capture_output=True)
        subprocess.run(["cc", "-shared", part, "-o", built], check=True, capture_output=True)
        found = ctypes.CDLL(str(built))
    found.scratch.restype = ctypes.c_long
    return found


def fitting(x: Tensor, large: int) -> int:
    """The tile side for frames (N, C, H, W): small ones would leave most of a large tile empty."""
    return large if min(x.shape[-2:]) >= LEAST[large] else 4


def packed_kernel(weight: Tensor, tile: int) -> Tensor:
    """(O, I, 3, 3) > (P * P, O / 16, I rounded up to 8, 16), computed in float64."""
    g = transforms.matrices(tile)[1]
    products = torch.einsum("ai,oqij,bj->abqo", g, weight.double(), g).flatten(0, 1).float()
    products = F.pad(products, (0, 0, 0, -weight.shape[1] % LANES))
    packed = products.unflatten(-1, (-1, WIDE)).transpose(1, 2)
    return spacious(*packed.shape).copy_(packed)


def convolve(
    x: Tensor, kernel: Tensor, bias: Tensor, tile: int, *, step: int = 1, relu: bool = False,
    before: tuple[Tensor, Tensor] | None = None, shortcut: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A 3 x 3 convolution with zero padding: (N, I, H, W) > (N, O, H, W), channels-last.

    `before` normalises by gain and shift (I,) and takes the ReLU first; `shortcut` is added to the
    result; with `step` 2 the outputs are the 2 x 2 phases of a picture twice as large, phases first
    among the channels.
    """
    frames = _last(x)
    count, high, wide, inputs = frames.shape
    outputs = len(bias)
    out = spacious(count, step * high, step * wide, outputs // step**2)
    added = None if shortcut is None else _last(shortcut)
    gain, shift = before or (None, None)
    tensors = (frames, gain, shift, kernel, bias, added, out)
    numbers = (count, high, wide, inputs, outputs, step, relu)
    layer = _Layer(*(t if t is None else t.data_ptr() for t in tensors), *numbers)
    made, threads = library(tile), torch.get_num_threads()
    room = _room(threads * made.scratch(ctypes.byref(layer)))
    count *= -(-high // tile) * -(-wide // tile)
    made.convolve(ctypes.byref(layer), _at(room), ctypes.c_long(count), threads)
    return out.permute(0, 3, 1, 2)


def packed_window(weight: Tensor) -> Tensor:
    """(O, I, k, k) > (O / 3, k, 3, k I rounded up to 8), zeros beyond."""
    lines = weight.permute(0, 2, 3, 1).flatten(2)  # (O, k, k I)
    lines = F.pad(lines, (0, -lines.shape[2] % LANES, 0, 0, 0, -len(weight) % FEW))
    return lines.unflatten(0, (-1, FEW)).transpose(1, 2).contiguous()


def correlate(x: Tensor, kernel: Tensor, bias: Tensor, padding: int) -> Tensor:
    """A k x k convolution of few outputs, by a `packed_window`: (N, I, H, W) > (N, O, H', W')."""
    groups, size, _, run = kernel.shape
    frames = _bordered(x, padding)
    count, below, right, channels = frames.shape
    high, wide, outputs = below - size, right - size + 1, FEW * groups
    out = spacious(count, high, wide, outputs)
    biases = F.pad(bias, (0, outputs - len(bias)))
    library(4).correlate(
        _at(frames), below, right, channels, _at(kernel), size, run, _at(biases), _at(out),
        count, high, wide, outputs, torch.get_num_threads(),
    )  # fmt: skip
    return out.permute(0, 3, 1, 2)[:, : len(bias)]


def _room(count: int) -> Tensor:
    """At least `count` floats to work in, the calling thread's own and kept."""
    if len(getattr(_own, "room", ())) < count:
        _own.room = spacious(count)
    found: Tensor = _own.room
    return found


def _at(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def _last(x: Tensor) -> Tensor:
    """(N, C, H, W) as contiguous (N, H, W, C), C rounded up to whole registers."""
    frames = x.permute(0, 2, 3, 1)
    rest = x.shape[1] % LANES  # torch copies even where there is nothing to pad
    return F.pad(frames, (0, LANES - rest)) if rest else frames.contiguous()


def _bordered(x: Tensor, border: int) -> Tensor:
    """(N, C, H, W) as (N, H', W', C) with zeros around.

    One row more below: a window's zero weights still read a few floats beyond it.
    """
    count, channels, high, wide = x.shape
    found = spacious(count, high + 2 * border + 1, wide + 2 * border, channels)
    found[:, :border], found[:, border + high :] = 0, 0
    found[:, :, :border], found[:, :, border + wide :] = 0, 0
    found[:, border : border + high, border : border + wide] = x.permute(0, 2, 3, 1)
    return found
