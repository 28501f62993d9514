"""Cycles' denoiser held to AVX2: the one library of the line that has no option for it.

Open Image Denoise asks the processor (CPUID, XGETBV) and takes AVX-512 code where there is some;
its sums then end otherwise, and one value in 25,000 of a frame is one level off. The questions are
compiled in, so the answer is changed in memory: the mask of register states that AVX-512 needs
(0xe6) becomes one that no processor fulfils (0xff), and every kernel takes its AVX2 code. The file
on disk stays as it is. Measured on a Zen 4: ten clips the same bytes as on a Zen 3, which has no
AVX-512, for 0 to 15 % of a clip's time.
"""

import ctypes
import importlib.util
import re
import sys
from pathlib import Path

from avatars.errors import AvatarError

# xgetbv; not eax; test al, 0xe6: what ISPC's dispatcher compiles to, once a kernel file.
_QUESTION = bytes.fromhex("0f01d0f7d0a8e6")
_NEVER = 0xFF
_LIBRARY = "libOpenImageDenoise_device_cpu.so.*"
_READ, _WRITE, _EXECUTE = 1, 2, 4


def hold_denoiser() -> str:
    """Hold the denoiser of this process to AVX2, before it denoises; says what was done.

    Raises AvatarError where it cannot be done: another build of Blender, or a system that lets no
    process change its own code.
    """
    if not sys.platform.startswith("linux"):
        raise AvatarError(_sentence("it is known for Linux on x86-64 alone"))
    library = _library()
    ctypes.CDLL(str(library))  # loaded before Cycles does, which then finds this very copy
    count = sum(_change(first, last) for first, last in _code_of(library))
    if not count:
        raise AvatarError(_sentence(f"{library.name} is another build than the one that is known"))
    return f"portable: the denoiser is held to AVX2 in {count} places"


def _library() -> Path:
    found = importlib.util.find_spec("bpy")
    folders = (found.submodule_search_locations if found else None) or ()
    for folder in folders:
        for path in sorted(Path(folder).glob(f"lib/{_LIBRARY}")):
            return path
    raise AvatarError(_sentence(f"{_LIBRARY} is not where this Blender has its libraries"))


def _code_of(library: Path) -> list[tuple[int, int]]:
    """First and last address of the library's code in this process."""
    rows = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    real = str(library.resolve())
    spans = [row[0].split("-") for row in rows if row[-1] == real and row[1] == "r-xp"]
    return [(int(first, 16), int(last, 16)) for first, last in spans]


def _change(first: int, last: int) -> int:
    code = ctypes.string_at(first, last - first)
    places = [found.end() - 1 for found in re.finditer(re.escape(_QUESTION), code)]
    _protect(first, last, _READ | _WRITE | _EXECUTE)
    for place in places:
        ctypes.memset(first + place, _NEVER, 1)
    _protect(first, last, _READ | _EXECUTE)
    return len(places)


def _protect(first: int, last: int, mode: int) -> None:
    system = ctypes.CDLL(None, use_errno=True)
    if system.mprotect(ctypes.c_void_p(first), ctypes.c_size_t(last - first), mode):
        raise AvatarError(_sentence("this system lets no process change its own code"))


def _sentence(reason: str) -> str:
    return (
        f"the denoiser cannot be held to AVX2 ({reason}); write `deterministic: native` into "
        "params.yaml for the bytes of this processor"
    )
