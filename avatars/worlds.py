"""Light from all around: the eight CC0 panoramas of Poly Haven that the bpy wheel carries.

Planning and exposure need no picture: `worlds.json` holds each panorama's SHA-256 and its nine
spherical harmonics, from which the light on a surface follows (Ramamoorthi & Hanrahan 2001, An
Efficient Representation for Irradiance Environment Maps). `python -m avatars.worlds` writes it.
"""

import hashlib
import json
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from avatars.errors import AssetError, AvatarError

_FILE = Path(__file__).parent / "worlds.json"
# Rows of the panorama in use: a sun of one pixel becomes one of 1.4 degrees, as through a thin
# curtain. Eight samples a pixel find it, and its image in an eye is no firefly.
ROWS = 128
# Times the samples of a clip. The lamps of `studio` are small and bright: at eight samples the
# denoiser draws white cracks on the skin of every third person, at sixteen on nobody's.
_GRAIN = {"studio": 2}


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, Any]]:
    return dict(json.loads(_FILE.read_text()))


def names() -> list[str]:
    """Every panorama, sorted."""
    return sorted(_table())


def require(name: str) -> None:
    """Raise AvatarError, with the nearest name, for a panorama that does not exist."""
    if name not in names():
        near = get_close_matches(name, names(), n=1, cutoff=0.3)
        hint = f"the nearest is '{near[0]}'" if near else f"known: {', '.join(names())}"
        raise AvatarError(f"there is no world light '{name}'; {hint}")


def grain(name: str | None) -> int:
    """How many times the samples of other light a panorama needs; without one, 1."""
    return _GRAIN.get(name or "", 1)


def verify(path: Path) -> None:
    """Raise AssetError unless the panorama's file is there and the one the table knows."""
    if not path.is_file():
        raise AssetError(f"world light {path} is missing; install the pinned bpy wheel again")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _table()[path.stem]["sha256"]:
        raise AssetError(
            f"world light {path} has SHA-256 {found[:12]}..., "
            f"{_table()[path.stem]['sha256'][:12]}... is known; install the pinned bpy wheel again"
        )


def irradiance(name: str, turn: float, normals: np.ndarray) -> np.ndarray:
    """(n, 3) linear RGB irradiance at strength 1 on surfaces with `normals` (n, 3), world frame.

    `turn` is the panorama's in degrees about the vertical, as `Surroundings` turns it.
    """
    a = np.radians(turn)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
    lobes = np.repeat([np.pi, 2 * np.pi / 3, np.pi / 4], [1, 3, 5])
    found = (_harmonics(normals @ rotation.T) * lobes) @ np.array(_table()[name]["harmonics"])
    return np.asarray(np.clip(found, 0.0, None))


def shrink(pixels: np.ndarray) -> np.ndarray:
    """(ROWS, 2 ROWS, 3) float32 of a panorama (H, 2 H, 3) by means over blocks."""
    block = len(pixels) // ROWS
    blocks = pixels.reshape(ROWS, block, 2 * ROWS, block, 3)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32))


def directions(rows: int) -> np.ndarray:
    """(rows, 2 rows, 3) unit vector to each pixel of a panorama, first row at the bottom."""
    latitude = ((np.arange(rows) + 0.5) / rows - 0.5)[:, None] * np.pi
    longitude = (0.5 - (np.arange(2 * rows) + 0.5) / (2 * rows))[None] * 2 * np.pi
    flat = np.cos(latitude)
    x, y = flat * np.cos(longitude), flat * np.sin(longitude)
    return np.stack([x, y, np.broadcast_to(np.sin(latitude), x.shape)], axis=-1)


def project(panorama: np.ndarray) -> np.ndarray:
    """(9, 3) spherical harmonics of a panorama (rows, 2 rows, 3)."""
    rows = len(panorama)
    towards = directions(rows)
    area = np.sqrt(1 - towards[..., 2] ** 2) * np.pi**2 / rows**2  # steradians of each pixel
    basis = _harmonics(towards.reshape(-1, 3))
    return np.asarray(basis.T @ (panorama * area[..., None]).reshape(-1, 3))


def _harmonics(d: np.ndarray) -> np.ndarray:
    """(n, 9) real spherical harmonics of degree 0 to 2 at unit vectors (n, 3)."""
    x, y, z = d.T
    return np.stack([
        np.full(len(d), 0.282095), 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y,
        1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    ], axis=1)  # fmt: skip


def main() -> None:
    """Write the table of the panoramas in the installed bpy wheel."""
    from avatars import panoramas  # Blender, for this alone

    table = {
        path.stem: {
            "source": "Poly Haven, in the bpy wheel",
            "licence": "CC0-1.0",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "harmonics": project(panoramas.read(path)).round(5).tolist(),
        }
        for path in panoramas.files()
    }
    _FILE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
