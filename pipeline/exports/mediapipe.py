"""MediaPipe's 478 points on our mesh, as far as they can be named: docs/labels.md.

The table is made by `benchmarks/mesh_points.py`; no network is asked here.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from avatars.optics import project
from pipeline.files import read_json

COUNT = 478
_FILE = Path(__file__).with_name("mesh478.json")


@lru_cache(maxsize=1)
def table() -> dict[str, np.ndarray]:
    """`point` (K,) of those named, `vertices` (K, 3) of the base mesh, `shares` (K, 3) of each,
    `residual_px` (K,) as MediaPipe sees the point in frames of 128 px."""
    rows = read_json(_FILE)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def points(truth: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of a truth with the pass `vertices`: `mediapipe_m` (T, 478, 3) float32 world metres,
    `mediapipe_px` (T, 478, 2) float32 pixels, `mediapipe_residual_px` (478,) float32.

    A point that cannot be named is NaN.
    """
    known = table()
    rows = np.searchsorted(truth["vertex_ids"], known["vertices"])  # sorted: the mesh's own order
    world = np.einsum("kc,tkcx->tkx", known["shares"], truth["vertices_m"][:, rows].astype(float))
    pixels, _ = project(world, truth["camera"])
    arrays = {"mediapipe_m": world, "mediapipe_px": pixels}
    found = {name: _all_points(values, known["point"]) for name, values in arrays.items()}
    residual = _all_points(known["residual_px"][None, :, None], known["point"])[0, :, 0]
    return found | {"mediapipe_residual_px": residual}


def _all_points(values: np.ndarray, named: np.ndarray) -> np.ndarray:
    whole = np.full((len(values), COUNT, values.shape[-1]), np.nan, np.float32)
    whole[:, named] = values
    return whole
