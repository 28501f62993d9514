"""What every classifier network has: sizes that come from the data, and a configuration of its own.

A configuration is a frozen dataclass whose `__post_init__` refuses values by these helpers.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from models.errors import ModelError

STEP = 16  # pixels: every network halves a frame four times


@dataclass(frozen=True)
class Sizes:
    """What a study's data decide of a network; ModelError for sizes that no network can have."""

    classes: int
    channels: int  # 1 grey, 3 RGB; a reference frame beside each frame adds its own
    size: int  # pixels a side of the square frames, a multiple of 16
    frames: int  # of a window

    def __post_init__(self) -> None:
        for name, least in (("classes", 1), ("channels", 1), ("size", STEP), ("frames", 1)):
            whole(name, getattr(self, name), least)
        if self.size % STEP:
            raise ModelError(f"the frame size must be a multiple of {STEP}, got {self.size}")


class Network(nn.Module):
    """A network of `sizes`, built as `config` (its own dataclass) says."""

    def __init__(self, sizes: Sizes, config: Any) -> None:
        super().__init__()
        self.sizes = sizes
        self.config = config

    def check(self, windows: Tensor, lengths: Tensor | None = None) -> None:
        """ModelError unless `windows` are (N, T, C, S, S) and `lengths` (N,) within 1 to T."""
        shape = (self.sizes.channels, self.sizes.size, self.sizes.size)
        if windows.ndim != 5 or windows.shape[2:] != shape:
            wanted = ", ".join(map(str, shape))
            raise ModelError(f"windows are (N, T, {wanted}) in [0, 1], got {tuple(windows.shape)}")
        if lengths is None:
            return
        if lengths.shape != windows.shape[:1] or not bool(
            ((lengths >= 1) & (lengths <= windows.shape[1])).all()
        ):
            raise ModelError(
                f"lengths are one whole number from 1 to {windows.shape[1]} a window, "
                f"got {lengths.tolist()}"
            )


def whole(name: str, value: object, least: int, step: int = 1) -> None:
    """ModelError unless `value` is a whole number from `least` on, a multiple of `step`."""
    if type(value) is not int or value < least or value % step:
        kind = f"a multiple of {step}" if step > 1 else "a whole number"
        raise ModelError(f"'{name}' must be {kind} from {least} on, got {value!r}")


def share(name: str, value: object) -> None:
    """ModelError unless `value` is a number from 0 to below 1."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ModelError(f"'{name}' must be a number from 0 to below 1, got {value!r}")


def flag(name: str, value: object) -> None:
    """ModelError unless `value` is true or false."""
    if not isinstance(value, bool):
        raise ModelError(f"'{name}' must be true or false, got {value!r}")
