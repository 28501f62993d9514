"""Sparse morph targets: named vertex offsets on the hm08 base mesh.

MakeHuman's stand in one archive, e.g. "nose/nose-hump-incr"; the sculpted Face Units (CC0, Mika
Suominen) in one text file each, here "faceunits/mouthFrownLeft": `vertex x y z` a line.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from avatars.assets import TargetFiles
from avatars.errors import AssetError, AvatarError

Offsets = tuple[np.ndarray, np.ndarray]  # vertex ids (n,), offsets (n, 3) in decimetres

SCULPTED = "faceunits/"  # begins the name of a sculpted face unit
_UNIT = 1e-3  # the archive stores int16 thousandths of a decimetre


class Targets:
    """Lazy reader of the targets; each is read once."""

    def __init__(self, files: TargetFiles) -> None:
        """Open the archive; AssetError when it is missing or corrupt."""
        try:
            self._file = np.load(files.archive, allow_pickle=False)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise AssetError(
                f"{files.archive} is no readable target archive ({error}); run `pallor assets`"
            ) from error
        self._folder = files.sculpted
        self._known = set(self._file.files)
        self._read: dict[str, Offsets] = {}

    def __contains__(self, name: str) -> bool:
        if name.startswith(SCULPTED):
            return self._path(name).is_file()
        return f"targets/{name}.index" in self._known

    def get(self, name: str) -> Offsets:
        """Vertex ids (n,) and offsets (n, 3) in decimetres of e.g. "nose/nose-hump-incr"."""
        if name not in self._read:
            if name not in self:
                raise AvatarError(f"there is no morph target '{name}' among the assets")
            self._read[name] = self._load(name)
        return self._read[name]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name.removeprefix(SCULPTED)}.target"

    def _load(self, name: str) -> Offsets:
        try:
            if name.startswith(SCULPTED):
                lines = np.loadtxt(self._path(name), ndmin=2)
                return lines[:, 0].astype(np.int64), lines[:, 1:]
            ids = self._file[f"targets/{name}.index"].astype(np.int64)
            return ids, self._file[f"targets/{name}.vector"] * _UNIT
        except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
            raise AssetError(
                f"morph target '{name}' cannot be read ({error}); run `pallor assets`"
            ) from error

    def add(self, vertices: np.ndarray, weights: dict[str, float]) -> np.ndarray:
        """`vertices` (V, 3) plus the weighted targets, as a new array."""
        shaped = vertices.copy()
        for name, weight in weights.items():
            ids, offsets = self.get(name)
            shaped[ids] += weight * offsets
        return shaped
