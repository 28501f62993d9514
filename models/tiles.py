"""`tiles.c`, compiled for this processor: a ConvLSTM step in Winograd's tiles.

Transforms, gates and states as torch operations pass over memory some thirty times a step;
compiled, a tile stays in registers and the nearest cache from products to states. A C compiler is
asked for once a process; `reason()` says why there is none of this.
"""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from torch import Tensor

TILE = 4  # outputs a side
POINTS = TILE + 2  # inputs a side, and products a side
LANES = 8  # channels a register
TILES = 65  # in a piece: few enough for a core's cache, many enough for each reading of the kernel;
# odd, since a power of two would lay all planes into one cache set
LINE = 16  # floats behind a plane: the last tile's spill


class Shape(ctypes.Structure):
    """Sizes as in tiles.c."""

    _fields_ = [(name, ctypes.c_int) for name in ("across", "line", "width", "hidden", "inner")] + [
        ("plane", ctypes.c_long)
    ]


@cache
def reason() -> str:
    """Why compiled tiles cannot be had here, or an empty string."""
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    try:
        library()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the C compiler failed ({error})"
    return ""


@cache
def library() -> ctypes.CDLL:
    """`tiles.c` for this processor."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "tiles.so")
        flags = ["-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC", "-Wno-psabi"]
        source = Path(__file__).with_suffix(".c")
        subprocess.run(["cc", *flags, source, "-o", built], check=True, capture_output=True)
        return ctypes.CDLL(str(built))


def at(tensor: Tensor) -> ctypes.c_void_p:
    """Where a float32 tensor begins."""
    return ctypes.c_void_p(tensor.data_ptr())
