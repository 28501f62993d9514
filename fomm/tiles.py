"""Convolutions compiled for this processor from `tiles.c`, where torch's own are slower.

Winograd's F(m x m, 3 x 3) (Lavin & Gray 2016; see `winograd`) spends half its time on transforms
when each step of them is a torch operation of its own; compiled, they run on registers. A C
compiler is asked for once a process; `reason()` says why there is none of this.
"""

import ctypes
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from fomm.pages import spacious

LANES, WIDE, FEW = 8, 16, 3  # as in tiles.c: floats a register, outputs of a product, of a window
# Points +-p of each tile size, besides 0 and infinity; for 8 the fourth was chosen by its error.
HALVES = {4: (1.0, 2.0), 6: (1.0, 2.0, 0.5), 8: (1.0, 2.0, 0.5, 4 / 3)}
LEAST = {4: 0, 6: 64, 8: 16}  # pixels a side from which a tile size pays, as measured


_own = threading.local()


class _Layer(ctypes.Structure):
    _fields_ = [  # noqa: RUF012
        *((name, ctypes.c_void_p) for name in ("x", "gain", "shift", "kernel", "bias", "shortcut", "y")),
        *((name, ctypes.c_int) for name in ("count", "high", "wide", "inputs", "outputs", "step", "relu")),
    ]


@cache
def reason() -> str:
    """Why compiled tiles cannot be had here, or an empty string."""
    if torch.backends.cpu.get_cpu_capability() != "AVX2":
        return "this processor's vectors are not AVX2's"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    try:
        library(4)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the C compiler failed ({error})"
    return ""


@cache
def library(tile: int) -> ctypes.CDLL:
    """`tiles.c` with the transforms of one tile size."""
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder, "tiles.c"), Path(folder, "tiles.so")
        source.write_text(_prefix(tile) + Path(__file__).with_suffix(".c").read_text())
        flags = ["-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC", "-Wno-psabi"]
        subprocess.run(["cc", *flags, source, "-o", built], check=True, capture_output=True)
        found = ctypes.CDLL(str(built))
    found.scratch.restype = ctypes.c_long
    return found


def matrices(tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """Float64 analysis (P, P), kernel transform (P, 3) and synthesis (tile, P); P = tile + 2.

    Toom-Cook at the points 0, +-p and infinity, so that for kernel g and P inputs d
    synthesis @ ((kernel @ g) * (analysis @ d)) is their correlation of `tile` outputs.
    """
    points = [0.0, *(sign * p for p in HALVES[tile] for sign in (1, -1))]
    whole = _polynomial(points)
    lines, kernels = [], []
    for i, p in enumerate(points):
        others = points[:i] + points[i + 1 :]
        lines.append([*_polynomial(others), 0.0])
        scale = torch.tensor([p - q for q in others], dtype=torch.float64).prod()
        kernels.append([float(p**k / scale) for k in range(3)])
    powers = [[p**k for p in points] + [float(k == tile - 1)] for k in range(tile)]
    found = ([*lines, whole], [*kernels, [0.0, 0.0, 1.0]], powers)
    analysis, kernel, synthesis = (torch.tensor(x, dtype=torch.float64) for x in found)
    return analysis, kernel, synthesis


def _polynomial(roots: list[float]) -> list[float]:
    """Coefficients, lowest first, of the monic polynomial with these roots."""
    found = [1.0]
    for root in roots:
        found = [a - root * b for a, b in zip([0.0, *found], [*found, 0.0], strict=True)]
    return found


def _prefix(tile: int) -> str:
    """What `tiles.c` expects before itself."""
    analysis, _, synthesis = matrices(tile)
    return "\n".join([
        "typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));",
        "typedef int i8 __attribute__((vector_size(32)));",
        f"enum {{ TILE = {tile}, POINTS = {tile + 2} }};",
        _analyse(analysis.tolist()), _synthesise(synthesis.tolist()), "",
    ])  # fmt: skip


def _analyse(rows: list[list[float]]) -> str:
    """Values at +p and -p share their even and odd halves."""
    lines = []
    for i, row in enumerate(rows):
        even, odd = (_sum({k: row[k] for k in range(h, len(row), 2)}) for h in (0, 1))
        if i in (0, len(rows) - 1):
            lines.append(f"y[{i} * t] = {even if i == 0 else odd};")
        elif i % 2:
            lines.append(f"{{ const v8 e = {even}, o = {odd}; y[{i} * t] = e + o; y[{i + 1} * t] = e - o; }}")
    return _function("analyse", lines)


def _synthesise(rows: list[list[float]]) -> str:
    """Even outputs take the sums of the products at +p and -p, odd ones their differences."""
    pairs = (len(rows[0]) - 2) // 2
    lines = [f"const v8 s{i} = x[{2 * i + 1} * s] + x[{2 * i + 2} * s], "
             f"d{i} = x[{2 * i + 1} * s] - x[{2 * i + 2} * s];" for i in range(pairs)]  # fmt: skip
    for k, row in enumerate(rows):
        terms = [f"{row[2 * i + 1]!r}f * {'sd'[k % 2]}{i}" for i in range(pairs)]
        ends = [f"x[{i} * s]" for i in (0, len(row) - 1) if row[i]]
        lines.append(f"y[{k} * t] = {' + '.join(terms + ends)};")
    return _function("synthesise", lines)


def _sum(terms: dict[int, float]) -> str:
    return " + ".join(f"{value!r}f * x[{k} * s]" for k, value in terms.items() if value) or "(v8){0}"


def _function(name: str, lines: list[str]) -> str:
    body = "\n    ".join(lines)
    return f"static inline void {name}(const v8 *x, int s, v8 *y, int t)\n{{\n    {body}\n}}"


def fitting(x: Tensor, large: int) -> int:
    """The tile side for frames (N, C, H, W): small ones would leave most of a large tile empty."""
    return large if min(x.shape[-2:]) >= LEAST[large] else 4


def packed_kernel(weight: Tensor, tile: int) -> Tensor:
    """(O, I, 3, 3) > (P * P, O / 16, I rounded up to 8, 16), computed in float64."""
    g = matrices(tile)[1]
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
    result; with `step` 2 the outputs are phases of a doubled picture, as in `winograd.convolve`.
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
    made = library(tile)
    size = made.scratch(ctypes.byref(layer))

    def work(first: int, last: int) -> None:
        made.convolve(ctypes.byref(layer), ctypes.c_void_p(_room(size).data_ptr()), first, last)

    _share(work, count * -(-high // tile) * -(-wide // tile))
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
    pointer = (ctypes.c_void_p(t.data_ptr()) for t in (frames, kernel, biases, out))
    at, by, plus, to = pointer

    def work(first: int, last: int) -> None:
        library(4).correlate(
            at, below, right, channels, by, size, run, plus, to, high, wide, outputs, first, last
        )

    _share(work, count * high)
    return out.permute(0, 3, 1, 2)[:, : len(bias)]


def _room(count: int) -> Tensor:
    """At least `count` floats to work in, this thread's own and kept."""
    if len(getattr(_own, "room", ())) < count:
        _own.room = spacious(count)
    found: Tensor = _own.room
    return found


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


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def _share(work: Callable[[int, int], None], count: int) -> None:
    """The range 0 to `count` in as many parts as torch has threads; ctypes frees the interpreter."""
    threads = torch.get_num_threads()
    if threads == 1:
        return work(0, count)
    edges = [count * i // threads for i in range(threads + 1)]
    list(_pool(threads).map(work, edges[:-1], edges[1:]))
    return None
