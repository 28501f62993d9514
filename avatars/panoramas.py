"""The panoramas of `worlds` as Blender reads them: the only part of them that needs it."""

from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from avatars import worlds


def folder() -> Path:
    """Where the bpy wheel keeps them."""
    return Path(bpy.utils.system_resource("DATAFILES", path="studiolights/world"))


def files() -> list[Path]:
    """Every panorama of the wheel, sorted by name."""
    return sorted(folder().glob("*.exr"))


@lru_cache(maxsize=8)  # eight there are, 0.4 MB each
def load(name: str) -> np.ndarray:
    """(ROWS, 2 ROWS, 3) float32 linear RGB, first row at the bottom; AssetError when altered."""
    worlds.require(name)
    path = folder() / f"{name}.exr"
    worlds.verify(path)
    return read(path)


def read(path: Path) -> np.ndarray:
    """The panorama of a file, shrunk."""
    picture = bpy.data.images.load(str(path))
    width, height = picture.size
    pixels = np.empty(4 * width * height, np.float32)
    picture.pixels.foreach_get(pixels)
    bpy.data.images.remove(picture)
    small = worlds.shrink(pixels.reshape(height, width, 4)[..., :3])
    small.setflags(write=False)  # shared by all who ask
    return small
