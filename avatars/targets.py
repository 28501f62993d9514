"""MakeHuman's sparse morph targets: named vertex offsets on the hm08 base mesh."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from avatars.errors import AssetError, AvatarError

Offsets = tuple[np.ndarray, np.ndarray]  # vertex ids (n,), offsets (n, 3) in decimetres

_UNIT = 1e-3  # the file stores int16 thousandths of a decimetre


class Targets:
    """Lazy reader of the targets archive; each target is read once."""

    def __init__(self, path: Path) -> None:
        """Open the npz at `path`; AssetError when it is missing or corrupt."""
        try:
            self._file = np.load(path, allow_pickle=False)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise AssetError(
                f"{path} is no readable target archive ({error}); run `pallor assets`"
            ) from error
        self._known = set(self._file.files)
        self._read: dict[str, Offsets] = {}

    def __contains__(self, name: str) -> bool:
        return f"targets/{name}.index" in self._known

    def get(self, name: str) -> Offsets:
        """Vertex ids (n,) and offsets (n, 3) in decimetres of e.g. "nose/nose-hump-incr"."""
        if name not in self._read:
            if name not in self:
                raise AvatarError(f"there is no morph target '{name}' in the asset archive")
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Offsets:
        try:
            ids = self._file[f"targets/{name}.index"].astype(np.int64)
            return ids, self._file[f"targets/{name}.vector"] * _UNIT
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
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
