"""What a ward puts on a face, fitted to its owner: each a mesh that follows head, jaw and skin.

A thing is made once a person on the neutral face, in decimetres, by the makers of
`occluder_shapes`. Every vertex follows the skin next to it, as tape does, or only the bones, as
spectacles do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from scipy.spatial import cKDTree

from avatars import occluder_shapes
from avatars.basemesh import BaseMesh
from avatars.errors import AvatarError
from avatars.fitting import Fitting, Piece

_EYES = ("5", "7", "41", "43", "45", "46", "61", "62", "63", "64")
_LIPS = ("18", "22", "23", "24", "25", "26", "27")
_BROWS = ("1", "2", "4")
# What nobody can see any more through it: such a unit is no label of who wears it.
HIDES: dict[str, tuple[str, ...]] = {
    "glasses": (),
    "nasal_cannula": (),
    "oxygen_mask": (),  # clear
    "endotracheal_tube": _LIPS,
    "nasogastric_tube": (),
    "head_bandage": _BROWS,
    "eye_pads": _EYES,
    "pillow": (),
}
OCCLUDERS = tuple(HIDES)
CLEAR = ("glass", "clear")  # materials that the skin is seen through


def check(names: Iterable[str]) -> None:
    """Raise AvatarError, with the nearest name, for an occluder that does not exist."""
    for name in names:
        if name not in OCCLUDERS:
            near = get_close_matches(name, OCCLUDERS, n=1, cutoff=0.3)
            hint = f"the nearest is '{near[0]}'" if near else f"known: {', '.join(OCCLUDERS)}"
            raise AvatarError(f"there is no occluder '{name}'; {hint}")


@dataclass(frozen=True)
class Worn:
    """One mesh that a person wears: its piece, the skin it follows and its neck-chain weights."""

    piece: Piece
    near: np.ndarray  # (n, k) skin vertices whose mean movement each vertex follows
    weights: np.ndarray  # (n, 5)

    def fit(self, neutral: np.ndarray, straight: np.ndarray) -> np.ndarray:
        """(n, 3) decimetres on a performing face (V, 3), head straight."""
        vertices = self.piece.solid.vertices
        if self.piece.follows == "bones":
            return vertices
        used, where = np.unique(self.near, return_inverse=True)
        moved = (straight[used] - neutral[used])[where.reshape(self.near.shape)]
        return np.asarray(vertices + moved.mean(axis=1))


def dress(names: Iterable[str], neutral: np.ndarray, base: BaseMesh) -> list[Worn]:
    """The meshes of the occluders on a neutral face (V, 3), in the order of `OCCLUDERS`."""
    wanted = set(names)
    check(wanted)
    if not wanted:
        return []
    fitting = Fitting(neutral, base)
    pieces = [
        p for name in OCCLUDERS if name in wanted for p in occluder_shapes.MAKERS[name](fitting)
    ]
    return [_bound(piece, neutral, base) for piece in pieces]


def _bound(piece: Piece, neutral: np.ndarray, base: BaseMesh) -> Worn:
    skin = np.unique(base.mesh.quads[base.skin])
    count = {"skin": 3, "jaw": 40, "bones": 1}[piece.follows]
    near = skin[cKDTree(neutral[skin]).query(piece.solid.vertices, k=count)[1]]
    near = near.reshape(len(piece.solid.vertices), count)
    if piece.bone is not None:
        weights = np.zeros((len(near), base.weights.shape[1]))
        weights[:, piece.bone] = 1.0
    else:
        weights = base.weights[near].mean(axis=1)
    return Worn(piece, near, weights)
