"""Per-pixel truth of frames: what a pixel shows, how far, which way it faces, where it goes.

All of it is geometry (`avatars.raster`): no frame is rendered for a pass, and none changes one.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from avatars import lattice, optics, raster
from avatars.errors import AvatarError
from avatars.flow import Flow, flow
from avatars.person import Part
from avatars.raster import Shot, View

# A pixel's label is the index of its part; the order is the file format's.
LABELS = (
    "background", "skin", "gown", "eyes", "brows", "lashes", "hair", "beard", "teeth", "tongue",
    "glasses", "lenses", "nasal_cannula", "oxygen_mask", "oxygen_rim", "elastic",
    "endotracheal_tube", "connector", "tape", "nasogastric_tube", "nasogastric_tape",
    "head_bandage", "eye_pads", "eye_tape", "pillow",
)  # fmt: skip

Arrays = dict[str, np.ndarray]


class Buffers(NamedTuple):
    """`labels` (S, S) uint8, indices of `LABELS`; `depth` (S, S) float32 metres, inf behind."""

    labels: np.ndarray
    depth: np.ndarray


def require_passes(names: Sequence[str]) -> None:
    """Raise AvatarError for a pass that does not exist."""
    for name in names:
        if name not in PASSES:
            raise AvatarError(f"there is no pass '{name}'; known: {', '.join(PASSES)}")


def rasterise(
    parts: Sequence[Part], vertices: dict[str, np.ndarray], camera: np.ndarray, size: int
) -> Buffers:
    """Label and depth of every pixel of parts whose `vertices` (V, 3) are world metres.

    `camera` is the (3, 4) projection to pixels of a square picture of `size`.
    """
    shot = raster.shoot(View(parts, vertices, camera, size))
    return Buffers(labels(shot), _square(shot, shot.depth).astype(np.float32))


def record(names: Sequence[str], views: Sequence[View]) -> Arrays:
    """The arrays of the passes `names` over the frames of a clip (`docs/formats/passes.md`)."""
    shots = [raster.shoot(view) for view in views]
    arrays: Arrays = {}
    for name in names:
        arrays |= PASSES[name](shots)
    return arrays


def labels(shot: Shot) -> np.ndarray:
    """(S, S) uint8 label of each pixel; the skin is gown below the neckline."""
    view = shot.view
    names = [part.name for part in view.parts] + [grown.name for grown in view.strands]
    # The backdrop's number is -1: the last row.
    found = np.array([*map(LABELS.index, names), 0], np.uint8)[shot.part]
    for number, part in enumerate(view.parts):
        if part.gown is not None:
            seen = np.flatnonzero(shot.part == number)
            corners = raster.triangles(part)[shot.triangle[seen]]
            below = np.einsum("nc,nc->n", shot.shares[seen], part.gown[corners])
            found[seen[below > 0]] = LABELS.index("gown")
    return _square(shot, found)


def normals(shot: Shot) -> np.ndarray:
    """(S, S, 3) float32 unit normals as the smooth shading has them, 0 where nobody is.

    In the camera's frame: x right, y up, z towards the camera. A strand faces the camera.
    """
    found = np.zeros((len(shot.part), 3))
    axes, _ = optics.axes(shot.view.camera)
    for number, part in enumerate(shot.view.parts):
        seen = np.flatnonzero(shot.part == number)
        corners = raster.triangles(part)[shot.triangle[seen]]
        smooth = _vertex_normals(shot.view.vertices[part.name], part.quads)
        found[seen] = np.einsum("nc,nck->nk", shot.shares[seen], smooth[corners]) @ axes.T
    found[found[:, 2] < 0] *= -1  # a card of hair has two faces; the camera sees the one before it
    found[shot.part >= len(shot.view.parts)] = (0.0, 0.0, 1.0)
    return _square(shot, _unit(found)).astype(np.float32)


def _segmentation(shots: Sequence[Shot]) -> Arrays:
    return {"labels": np.array(LABELS), "segmentation": np.stack([labels(shot) for shot in shots])}


def _depth(shots: Sequence[Shot]) -> Arrays:
    return {"depth_m": np.stack([_square(shot, shot.depth) for shot in shots]).astype(np.float32)}


def _normals(shots: Sequence[Shot]) -> Arrays:
    return {"normals": np.stack([normals(shot) for shot in shots])}


def _vertices(shots: Sequence[Shot]) -> Arrays:
    """The skin's mesh: who has it in one clip has it in every clip, vertex for vertex."""
    skin = next(part for part in shots[0].view.parts if part.name == "skin")
    ids = np.unique(skin.quads)
    return {
        "vertex_ids": ids.astype(np.int32),
        "quads": np.searchsorted(ids, skin.quads).astype(np.int32),
        "vertices_m": np.stack([s.view.vertices["skin"][ids] for s in shots]).astype(np.float32),
    }


def _flow(shots: Sequence[Shot]) -> Arrays:
    """From each frame to the next and back."""
    pairs = list(pairwise(shots))
    size = shots[0].view.size
    return {
        **_flows("forward", [flow(one, other) for one, other in pairs], size),
        **_flows("backward", [flow(other, one) for one, other in pairs], size),
    }


def _flows(way: str, found: Sequence[Flow], size: int) -> Arrays:
    shape = (len(found), size, size)
    return {
        f"flow_{way}": np.array([f.displacement for f in found], np.float32).reshape(*shape, 2),
        f"flow_{way}_visible": np.array([f.visible for f in found], bool).reshape(shape),
    }


PASSES: dict[str, Callable[[Sequence[Shot]], Arrays]] = {
    "segmentation": _segmentation,
    "depth": _depth,
    "normals": _normals,
    "vertices": _vertices,
    "flow": _flow,
    "surface": lattice.record,
}


def _square(shot: Shot, values: np.ndarray) -> np.ndarray:
    return values.reshape(shot.view.size, shot.view.size, *values.shape[1:])


def _vertex_normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals; each is the area-weighted mean of its quads'."""
    corners = vertices[quads]
    faces = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    found = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(found, quads[:, corner], faces)
    return _unit(found)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """(n, 3) vectors of length 1; those of length 0 stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, where=length > 0, out=np.zeros_like(vectors))
