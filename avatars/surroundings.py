"""A clip's scene in Blender: world, camera, lights and backdrop around the face.

Made once and moved from scene to scene: Cycles keeps what stands still between two clips.
"""

import bpy
import numpy as np

from avatars import backdrop, materials, optics
from avatars.scene import SENSOR_MM, Backdrop, Camera, Light, Scene, black_body

_HALF = 0.75  # m: half a side of the backdrop


class Surroundings:
    """What a scene with so many lights needs; `show` sets it up around a face."""

    def __init__(self, lights: int) -> None:
        self._ambient = _world()
        self._camera = _placed("camera", bpy.data.cameras.new("camera"))
        bpy.context.scene.camera = self._camera
        self._lights = [
            _placed("light", bpy.data.lights.new("light", "AREA")) for _ in range(lights)
        ]
        material, self._picture = materials.glow()
        self._backdrop = _placed("backdrop", _square(material))
        for ray in ("diffuse", "glossy", "shadow"):
            setattr(self._backdrop, f"visible_{ray}", False)

    def show(self, scene: Scene, centre: np.ndarray) -> None:
        """Become `scene` around a face at `centre` (3,), world metres."""
        self._ambient.default_value = scene.ambient
        _aim(self._camera, scene.camera, centre)
        for placed, light in zip(self._lights, scene.lights, strict=True):
            _shine(placed, light, centre)
        _hang(self._backdrop, scene.camera, centre)
        self._paint(scene.backdrop)

    def _paint(self, wanted: Backdrop) -> None:
        """A picture of its own for each scene: Cycles does not notice pixels that change."""
        old = self._picture.image
        picture = backdrop.paint(wanted)
        self._picture.image = materials.image("backdrop", picture, "Linear Rec.709")
        if old is not None:
            bpy.data.images.remove(old)


def _placed(name: str, data: bpy.types.ID) -> bpy.types.Object:
    placed = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(placed)
    return placed


def _world() -> bpy.types.NodeSocket:
    """The strength of an even, slightly cool light from everywhere."""
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    shade = world.node_tree.nodes["Background"]
    shade.inputs["Color"].default_value = (0.95, 0.97, 1.0, 1.0)
    bpy.context.scene.world = world
    return shade.inputs["Strength"]


def _aim(placed: bpy.types.Object, camera: Camera, centre: np.ndarray) -> None:
    data = placed.data
    data.lens, data.sensor_width = camera.focal, SENSOR_MM
    data.clip_start, data.clip_end = 0.05, 20.0
    placed.matrix_world = optics.pose(camera, centre).T.tolist()


def _shine(placed: bpy.types.Object, light: Light, centre: np.ndarray) -> None:
    data = placed.data
    data.energy, data.size = light.watts, light.size
    data.color = black_body(light.kelvin).tolist()
    outwards = optics.direction(light.azimuth, light.elevation)
    matrix = np.eye(4)
    matrix[:3, :3] = optics.look(-outwards)
    matrix[:3, 3] = centre + light.distance * outwards
    placed.matrix_world = matrix.T.tolist()


def _hang(placed: bpy.types.Object, camera: Camera, centre: np.ndarray) -> None:
    """A glowing picture half a metre behind the head that lights nothing."""
    matrix = np.eye(4)
    outwards = optics.direction(camera.azimuth, 0.0)
    matrix[:3, :3] = np.stack([np.cross(-outwards, [0, 0, 1.0]), -outwards, [0, 0, 1.0]], 1)
    matrix[:3, 3] = centre - 0.5 * outwards
    placed.matrix_world = matrix.T.tolist()


def _square(material: bpy.types.Material) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("backdrop")
    corners = [(-_HALF, 0, -_HALF), (_HALF, 0, -_HALF), (_HALF, 0, _HALF), (-_HALF, 0, _HALF)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    uvs = np.array([0, 0, 1, 0, 1, 1, 0, 1], np.float32)
    mesh.uv_layers.new(name="uv").data.foreach_set("uv", uvs)
    mesh.materials.append(material)
    return mesh
