"""Memory for large tensors that is used again instead of being given back and asked for anew.

Memory that is new to the process costs a page fault every 4 KB, and above 32 MB the C library
always asks anew: a quarter of a prepared model's time. Huge pages fault and miss less where the
system gives them.
"""

import math
import mmap
import sys
from threading import Lock

import torch
from torch import Tensor

LIMIT = 2**29  # bytes lying idle above which all that lies idle goes back
_pages: list[mmap.mmap] = []
_one_by_one = Lock()


def spacious(*shape: int) -> Tensor:
    """An uninitialised float32 tensor; once no tensor holds its memory, it is used again."""
    size = 4 * math.prod(shape)
    with _one_by_one:
        at = next((i for i in range(len(_pages)) if len(_pages[i]) == size and _idle(i)), -1)
        if at < 0:
            _tidy()
            _pages.append(_mapped(size))
        return torch.frombuffer(_pages[at], dtype=torch.float32).view(shape)


def _idle(at: int) -> bool:
    # torch.frombuffer keeps a reference to the pages for as long as any view of the tensor lives.
    # The list and the call's own argument are the two that are always there.
    return sys.getrefcount(_pages[at]) == 2


def _tidy() -> None:
    idle = [i for i in range(len(_pages)) if _idle(i)]
    if sum(len(_pages[i]) for i in idle) > LIMIT:
        _pages[:] = [p for i, p in enumerate(_pages) if i not in idle]


def _mapped(size: int) -> mmap.mmap:
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    return pages
