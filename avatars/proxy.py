"""Proxies: lashes, eyes, teeth and tongue, fitted to a face they do not belong to.

vertex = sum_j weight_j * face[ref_j] + offset * scale, as MakeHuman's mhclo format defines.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatars import threejs
from avatars.assets import Assets
from avatars.basemesh import BaseMesh
from avatars.errors import AssetError
from avatars.threejs import Mesh


@dataclass(frozen=True)
class Proxy:
    """A fitted part: its mesh, its anchors on the face and its diffuse texture with alpha."""

    name: str
    mesh: Mesh
    refs: np.ndarray  # (n, 3) vertex ids of the base mesh
    shares: np.ndarray  # (n, 3)
    offsets: np.ndarray  # (n, 3) decimetres on the base head
    texture: Path

    def fit(self, vertices: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n, 3) positions on face `vertices`; `scale` (3,) is the head's size to the base's."""
        anchored = np.einsum("nj,njk->nk", self.shares, vertices[self.refs])
        return np.asarray(anchored + self.offsets * scale)

    def weights(self, base: BaseMesh) -> np.ndarray:
        """(n, 5) neck-chain weights, taken over from the anchors."""
        mixed = np.einsum("nj,njk->nk", self.shares, base.weights[self.refs])
        clipped = np.clip(mixed, 0.0, None)
        return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def load(assets: Assets, kind: str, name: str, texture: str | None = None) -> Proxy:
    """Read a proxy; `texture` names a file of its folder, default the material's own."""
    folder = assets.proxy(kind, name)
    mesh = threejs.read(folder / f"{name}.json")
    source = mesh.source
    try:
        refs = np.asarray(source["ref_vIdxs"], dtype=np.int64)
        shares = np.asarray(source["weights"], dtype=np.float64)
        offsets = np.asarray(source["offsets"], dtype=np.float64)
        image = folder / (texture or source["materials"][0]["mapDiffuse"])
    except (KeyError, IndexError, ValueError) as error:
        raise AssetError(f"proxy {kind}/{name} has no fitting data: {error}") from error
    if not image.is_file():
        raise AssetError(f"proxy {kind}/{name} has no texture {image.name}; run `pallor assets`")
    return Proxy(name, mesh, refs, shares, offsets, image)


def head_scale(base: BaseMesh, vertices: np.ndarray) -> np.ndarray:
    """(3,) extent of the head on shaped `vertices` over its extent on the base mesh."""
    head = base.weights[:, -1] > 0.95
    return np.asarray(np.ptp(vertices[head], axis=0) / np.ptp(base.mesh.vertices[head], axis=0))
