"""Labels asked for after the fact: per-pixel truth, landmarks and ARKit of clips at hand.

Nothing is rendered: geometry is played again, and what was measured once is in the work store.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from avatars import landmarks
from pipeline.corpus import render
from pipeline.errors import StageError
from pipeline.exports import arkit, mediapipe
from pipeline.files import writing
from pipeline.naming import nearest
from pipeline.params import Pass
from pipeline.records import ClipPlan
from pipeline.store.store import Store

PASSES: tuple[str, ...] = get_args(Pass)
READ_OFF = ("landmarks", "mediapipe")  # the vertices
NAMES = (*PASSES, *READ_OFF, "arkit")


def wanted(names: Sequence[str]) -> list[str]:
    """The labels asked for in the order of NAMES; StageError names the nearest of an unknown."""
    for name in names:
        if name not in NAMES:
            raise StageError(f"there is no label '{name}'; {nearest(name, NAMES)}")
    return [name for name in NAMES if name in names]


def write_labels(
    clips: Sequence[ClipPlan], names: Sequence[str], store: Store, folder: Path
) -> Iterator[Path]:
    """`folder`/<clip_id>.npz of each clip: its truth with what is asked for, one by one.

    Landmarks are read off the vertices, so they bring the pass of these. Raises as the render
    stage does, AssetError without assets first of all.
    """
    passes = [name for name in PASSES if name in names]
    if set(READ_OFF) & set(names) and "vertices" not in passes:
        passes.append("vertices")
    asked = [clip.model_copy(update={"passes": passes or ["vertices"]}) for clip in clips]
    jobs = render.pass_jobs(asked)
    render.work([job for job in jobs if not store.has(job.key)], store)
    for clip, job in zip(clips, jobs, strict=True):
        found = dict(render.read_truth(store.path(job.key) / "passes.npz"))
        path = folder / f"{clip.clip_id}.npz"
        with writing(path) as part:
            np.savez_compressed(part, **found, **_added(found, names))
        yield path


def _added(truth: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "landmarks" in names:
        found["landmarks_m"] = landmarks_m(truth["vertices_m"], truth["vertex_ids"])
    if "mediapipe" in names:
        found |= mediapipe.points(truth)
    if "arkit" in names:
        found |= {"arkit": arkit.coefficients(truth), "arkit_names": np.array(arkit.NAMES)}
    return found


def landmarks_m(vertices: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(T, 68, 3) float32 world metres of the landmarks on vertices (T, V, 3) of the base mesh.

    `ids` are the V numbers of the vertices on it.
    """
    base = np.zeros((int(ids.max()) + 1, 3))
    found = []
    for frame in vertices:
        base[ids] = frame
        found.append(landmarks.locate(base))
    return np.stack(found).astype(np.float32)
