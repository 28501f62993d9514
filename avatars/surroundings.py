"""A clip's scene in Blender: world, camera, lights and backdrop around the face.

Made once and moved from scene to scene: Cycles keeps what stands still between two clips.
"""

import bpy
import numpy as np

from avatars import backdrop, node_pictures, optics, panoramas, worlds
from avatars.exposure import AMBIENT, Gains, gains
from avatars.scene import SENSOR_MM, Camera, Light, Scene, World, black_body

_HALF = 0.75  # m: half a side of the backdrop


class Surroundings:
    """What a scene with so many lights needs; `show` sets it up around a face."""

    def __init__(self, lights: int) -> None:
        self._world = _WorldLight()
        self._camera = _placed("camera", bpy.data.cameras.new("camera"))
        bpy.context.scene.camera = self._camera
        self._lights = [
            _placed("light", bpy.data.lights.new("light", "AREA")) for _ in range(lights)
        ]
        material, self._picture = node_pictures.glow()
        self._backdrop = _placed("backdrop", _square(material))
        for ray in ("diffuse", "glossy", "shadow"):
            setattr(self._backdrop, f"visible_{ray}", False)

    def show(self, scene: Scene, centre: np.ndarray, albedo: float) -> None:
        """Become `scene` around a face at `centre` (3,), world metres, lit for its `albedo`."""
        bright = gains(scene, albedo)
        self._world.shine(scene, bright)
        _aim(self._camera, scene.camera, centre)
        for placed, light in zip(self._lights, scene.lights, strict=True):
            _shine(placed, light, centre, bright.lamps)
        _hang(self._backdrop, scene.camera, centre)
        self._paint(scene, bright)

    def _paint(self, scene: Scene, bright: Gains) -> None:
        if scene.world and scene.backdrop.kind == "world":
            panorama = bright.world.astype(np.float32) * panoramas.load(scene.world.name)
            picture = backdrop.look_behind(panorama, scene.world.turn, scene.camera.azimuth)
        else:
            picture = backdrop.paint(scene.backdrop)
        node_pictures.show(self._picture, "backdrop", picture, "Linear Rec.709")


class _WorldLight:
    """Light from everywhere: an even one, to which a scene's panorama is added."""

    def __init__(self) -> None:
        world = bpy.data.worlds.new("world")
        world.use_nodes = True
        bpy.context.scene.world = world
        # Left to itself Cycles takes seconds and 290 MB for its importance map of the world.
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = 2 * worlds.ROWS
        self._tree = world.node_tree
        self._turn = self._tree.nodes.new("ShaderNodeMapping")
        self._picture = self._tree.nodes.new("ShaderNodeTexEnvironment")
        where, self._sum = (
            self._tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexCoord", "VectorMath")
        )
        self._sum.operation = "ADD"
        self._tree.links.new(where.outputs["Generated"], self._turn.inputs["Vector"])
        self._tree.links.new(self._turn.outputs["Vector"], self._picture.inputs["Vector"])
        shade = self._tree.nodes["Background"]
        self._tree.links.new(self._sum.outputs["Vector"], shade.inputs["Color"])

    def shine(self, scene: Scene, bright: Gains) -> None:
        """Light as the scene asks, as bright as the metered face needs."""
        self._sum.inputs[0].default_value = bright.lamps * scene.ambient * AMBIENT
        for link in self._sum.inputs[1].links:
            self._tree.links.remove(link)
        if scene.world is not None:
            self._light_by(scene.world, bright.world)

    def _light_by(self, world: World, colour: np.ndarray) -> None:
        panorama = colour.astype(np.float32) * panoramas.load(world.name)
        node_pictures.show(self._picture, "panorama", panorama, "Linear Rec.709")
        self._turn.inputs["Rotation"].default_value = (0.0, 0.0, np.radians(world.turn))
        self._tree.links.new(self._picture.outputs["Color"], self._sum.inputs[1])


def _placed(name: str, data: bpy.types.ID) -> bpy.types.Object:
    placed = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(placed)
    return placed


def _aim(placed: bpy.types.Object, camera: Camera, centre: np.ndarray) -> None:
    data = placed.data
    data.lens, data.sensor_width = camera.focal, SENSOR_MM
    data.clip_start, data.clip_end = 0.05, 20.0
    placed.matrix_world = optics.pose(camera, centre).T.tolist()


def _shine(placed: bpy.types.Object, light: Light, centre: np.ndarray, gain: float) -> None:
    data = placed.data
    data.energy, data.size = gain * light.watts, light.size
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
