"""Head pose and gaze: rotations spread over neck and eyes.

Axes in degrees: yaw + turns to the person's own left (AU 51), pitch + looks up (53),
roll + tilts to the own left (55); gaze yaw + to the own left (61), pitch + up (63). The neck also
carries the head forward and back (57, 58) by millimetres.
"""

import numpy as np

from avatars.basemesh import CHAIN, BaseMesh

HEAD_AXES = ("yaw", "pitch", "roll")
GAZE_AXES = ("yaw", "pitch")
_DM = 0.01  # decimetres a millimetre
_HELD = 0.6  # of the shoulders' rise in a breath that the head does not follow
_SHARES = (0.15, 0.2, 0.25, 0.4)  # of a head turn, over `CHAIN`: a bent neck without a kink


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> np.ndarray:
    """(3, 3) rotation in the mesh frame (x own left, y up, z forwards) from degrees."""
    y, p, r = np.radians([yaw, -pitch, -roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def chain_transforms(
    base: BaseMesh, neutral: np.ndarray, head_deg: np.ndarray, forward_mm: float = 0.0,
    breath_mm: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """(5, 3, 4) affine maps of trunk, neck01-03 and head for a head pose (3,) in degrees.

    `forward_mm` carries the head along the way the trunk faces, back when negative; `breath_mm`
    lifts the shoulders, and the head, which the neck holds, by less.
    """
    maps = [np.eye(4)]
    maps[0][1, 3] = _DM * breath_mm
    for bone, share in zip(CHAIN, _SHARES, strict=True):
        joint = base.joint(neutral, f"{bone}____head")
        local = np.eye(4)
        local[:3, :3] = rotation(*(share * np.asarray(head_deg)))
        local[:3, 3] = joint - local[:3, :3] @ joint
        moved = maps[-1] @ local
        moved[2, 3] += share * _DM * forward_mm
        moved[1, 3] -= share * _DM * _HELD * breath_mm
        maps.append(moved)
    return np.stack(maps)[:, :3]


def skin(vertices: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Linear blend skinning: (V, 3) vertices, (V, 5) weights, (5, 3, 4) maps."""
    blended = np.tensordot(weights, transforms, axes=1)  # (V, 3, 4)
    return np.asarray(np.einsum("vij,vj->vi", blended[:, :, :3], vertices) + blended[:, :, 3])


def eye_centres(vertices: np.ndarray) -> np.ndarray:
    """(2, 3) centres of the spheres nearest to the eyes (E, 3) by least squares, left then right.

    The base mesh's joints follow the face's shape, not the ball's: on flat faces they lie up to
    3 mm beside it.
    """
    return np.stack([_sphere(vertices[vertices[:, 0] > 0]), _sphere(vertices[vertices[:, 0] <= 0])])


def _sphere(points: np.ndarray) -> np.ndarray:
    """(3,) centre c of |p|^2 = 2 p.c + const over `points` (n, 3)."""
    system = np.c_[2 * points, np.ones(len(points))]
    return np.asarray(np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3])


def turn_eyes(
    vertices: np.ndarray, centres: np.ndarray, gaze_deg: np.ndarray, distance: float
) -> np.ndarray:
    """Eye vertices (E, 3) rotated about their own of two `centres` (2, 3), left then right.

    Both look at one point, `distance` (in the vertices' unit) from between them along the gaze:
    near things make eyes converge.
    """
    left = vertices[:, 0] > 0
    turned = vertices.copy()
    turns = [rotation(*angles) for angles in converging(centres, gaze_deg, distance)]
    for mask, centre, turn in zip((left, ~left), centres, turns, strict=True):
        turned[mask] = (vertices[mask] - centre) @ turn.T + centre
    return turned


def converging(centres: np.ndarray, gaze_deg: np.ndarray, distance: float) -> np.ndarray:
    """(2, 2) yaw and pitch in degrees of the left and right eye that look at one point."""
    ahead = rotation(float(gaze_deg[0]), float(gaze_deg[1]))[:, 2]
    x, y, z = (centres.mean(axis=0) + distance * ahead - centres).T
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], axis=1))


def lid_follow(gaze_pitch: float) -> float:
    """Closure (positive) or opening (negative) of the upper lid that follows the eye."""
    return 0.45 * -gaze_pitch / 28.0 if gaze_pitch < 0 else -0.35 * gaze_pitch / 22.0
