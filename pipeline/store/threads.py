"""Torch on a stated number of threads: the same bytes on any number of cores."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_thread() -> AbstractContextManager[None]:
    """One thread inside the block: no waiting for each other."""
    return threads(1)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """That many threads inside the block, then as many as before; sums' order follows from it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
