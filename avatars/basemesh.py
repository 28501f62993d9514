"""The hm08 base mesh: head and shoulders, skin weights of the neck, joints.

Distances are MakeHuman's decimetres, y up, +x the person's own left, +z forwards.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from avatars import threejs
from avatars.assets import Assets
from avatars.threejs import Mesh

# The chain that a head turn is spread over, from the fixed trunk upwards.
CHAIN = ("neck01", "neck02", "neck03", "head")
_BODY = 0  # material index of the skin; the others are helpers and joint cubes
_CHEST, _SHOULDER = 4.6, 2.6  # dm: what is below or beyond is never in the picture


@dataclass(frozen=True)
class BaseMesh:
    """`mesh` with its skin quads cut to the bust; `weights` (V, 5) over trunk and `CHAIN`."""

    mesh: Mesh
    skin: np.ndarray  # (F,) indices of the mesh's quads
    weights: np.ndarray
    joints: dict[str, np.ndarray]  # joint name > vertex ids whose mean is the joint

    def joint(self, vertices: np.ndarray, name: str) -> np.ndarray:
        """Position (3,) of a joint on shaped `vertices` (V, 3)."""
        return np.asarray(vertices[self.joints[name]].mean(axis=0))


@lru_cache(maxsize=2)
def load(assets: Assets) -> BaseMesh:
    """The base mesh of the assets; read once a process."""
    mesh = threejs.read(assets.model())
    middle = mesh.vertices[mesh.quads].mean(axis=1)
    bust = (middle[:, 1] > _CHEST) & (np.abs(middle[:, 0]) < _SHOULDER)
    skin = np.flatnonzero((mesh.material == _BODY) & bust)
    joints = mesh.source["metadata"]["joint_pos_idxs"]
    ids = {name: np.asarray(points, dtype=np.int64) for name, points in joints.items()}
    return BaseMesh(mesh, skin, chain_weights(mesh), ids)


def chain_weights(mesh: Mesh) -> np.ndarray:
    """(V, 5) share of each vertex in trunk, neck01, neck02, neck03 and head; rows sum to 1."""
    group = np.array(_bone_groups(mesh.source["bones"]))
    per_vertex = mesh.source["influencesPerVertex"]
    bones = np.asarray(mesh.source["skinIndices"]).reshape(-1, per_vertex)
    shares = np.asarray(mesh.source["skinWeights"], dtype=np.float64).reshape(-1, per_vertex)
    weights = np.zeros((len(bones), len(CHAIN) + 1))
    rows = np.repeat(np.arange(len(bones)), per_vertex)
    np.add.at(weights, (rows, group[bones].ravel()), shares.ravel())
    return weights / weights.sum(axis=1, keepdims=True)


def _bone_groups(bones: list[dict]) -> list[int]:
    groups: list[int] = []
    for bone in bones:
        name = bone["name"].removesuffix("____head")
        if name in CHAIN:
            groups.append(1 + CHAIN.index(name))
        else:
            groups.append(groups[bone["parent"]] if bone["parent"] >= 0 else 0)
    return groups
