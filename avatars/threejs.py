"""Reader of three.js JSON model format 3.1, the form MakeHuman's npm data comes in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avatars.errors import AssetError

# Bits of a face record, in the order their fields follow the vertex indices.
_QUAD, _MATERIAL, _FACE_UV, _VERTEX_UVS = 1, 2, 4, 8
_SUPPORTED = _QUAD | _MATERIAL | _VERTEX_UVS


@dataclass(frozen=True)
class Mesh:
    """vertices (V, 3) float64 decimetres, y up; quads (F, 4); uvs (F, 4, 2); material (F,)."""

    vertices: np.ndarray
    quads: np.ndarray
    uvs: np.ndarray
    material: np.ndarray
    source: dict[str, Any]


def read(path: Path) -> Mesh:
    """The mesh of a model file; triangles become quads with the last corner doubled.

    Raises AssetError when the file is missing, no JSON or uses face fields we do not know.
    """
    try:
        source = json.loads(path.read_text())
        vertices = np.asarray(source["vertices"], dtype=np.float64).reshape(-1, 3)
        quads, corner_uvs, material = _faces(source["faces"])
        uvs = np.asarray(source["uvs"][0], dtype=np.float64).reshape(-1, 2)[corner_uvs]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise AssetError(f"{path} is no readable three.js model: {error}") from error
    return Mesh(vertices, quads, uvs, material, source)


def _faces(flat: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    records = []
    at = 0
    while at < len(flat):
        flags = flat[at]
        if flags & ~_SUPPORTED or not flags & _VERTEX_UVS:
            raise ValueError(f"face flags {flags} at {at} are not supported")
        corners = 4 if flags & _QUAD else 3
        at += 1
        points = flat[at : at + corners]
        at += corners
        material = flat[at] if flags & _MATERIAL else 0
        at += bool(flags & _MATERIAL)
        uvs = flat[at : at + corners]
        at += corners
        if corners == 3:
            points, uvs = [*points, points[-1]], [*uvs, uvs[-1]]
        records.append([*points, *uvs, material])
    table = np.asarray(records, dtype=np.int64).reshape(-1, 9)
    return table[:, :4], table[:, 4:8], table[:, 8]
