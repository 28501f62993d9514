"""Where the camera of a scene stands, and the matrix that projects through it."""

import numpy as np

from avatars.scene import SENSOR_MM, Camera


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """(3,) unit vector from the face towards a viewer at these degrees; 0, 0 is in front."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def look(towards: np.ndarray, roll: float = 0.0) -> np.ndarray:
    """(3, 3) rotation with columns right, up and back of a viewer who looks along `towards`."""
    back = -towards / np.linalg.norm(towards)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    r = np.radians(roll)
    return np.stack(
        [np.cos(r) * right + np.sin(r) * up, np.cos(r) * up - np.sin(r) * right, back], 1
    )


def pose(camera: Camera, centre: np.ndarray) -> np.ndarray:
    """(4, 4) camera-to-world matrix, metres; the camera looks along its own -z."""
    outwards = direction(camera.azimuth, camera.elevation)
    axes = look(-outwards, camera.roll)
    width = camera.distance * SENSOR_MM / camera.focal  # metres seen at the face
    target = centre - width * (camera.shift[0] * axes[:, 0] + camera.shift[1] * axes[:, 1])
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = target + camera.distance * outwards
    return matrix


def projection(camera: Camera, centre: np.ndarray, size: int) -> np.ndarray:
    """(3, 4) matrix from world metres to pixels of a square picture, origin top left."""
    world = pose(camera, centre)
    rotation, position = world[:3, :3].T, world[:3, 3]
    f = camera.focal / SENSOR_MM * size
    lens = np.array([[f, 0, -size / 2], [0, -f, -size / 2], [0, 0, -1.0]])
    return np.asarray(lens @ np.c_[rotation, -rotation @ position])


def project(points: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (..., 2) and metres along the optical axis (...) of world points (..., 3).

    `camera` is a (3, 4) `projection`.
    """
    homogeneous = points @ camera[:, :3].T + camera[:, 3]
    return homogeneous[..., :2] / homogeneous[..., 2:], homogeneous[..., 2]


def axes(camera: np.ndarray) -> tuple[np.ndarray, float]:
    """(3, 3) rows right, up and back of a (3, 4) `projection`, and its focal length in pixels."""
    back = -camera[2, :3]
    across = camera[0, :3] - (camera[0, :3] @ back) * back
    focal = float(np.linalg.norm(across))
    right = across / focal
    return np.stack([right, np.cross(back, right), back]), focal
