"""The only door to Blender: a clip's people and scene become pixels here.

Blender is global state: one process renders one clip at a time, for one person after another.
Traps that cost days (all measured, see docs/decisions/rendering.md): the Render Result has no
pixels in background mode, so frames go through a file; settings are sticky, so each is set;
dithering is on by default.
"""

import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import bpy
import imageio.v3 as iio
import numpy as np

from avatars import complexion, haircurves, materials, node_pictures, worlds
from avatars import signs as sign
from avatars.identity import Identity
from avatars.person import Part, Person, Posed
from avatars.scene import Scene
from avatars.surroundings import Surroundings

_GPU_KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")


class Studio:
    """One person in Blender; `enter` a scene, then `shoot` renders posed frames.

    Opening one ends every other: open it with `studio`, which knows which one stands.
    """

    def __init__(self, person: Person, lights: int, size: int, samples: int, threads: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.device = _settings(size, threads)
        self._samples = samples
        self._centre = person.centre
        # Three quarters of the base mesh's vertices carry no quad (joints, cloth helpers, the
        # body below the bust): they stay outside.
        self._seen = {part.name: np.unique(part.quads) for part in person.parts}
        rest = person.neutral.parts
        self._meshes = {
            part.name: _object(part, rest[part.name], self._seen[part.name], person.identity)
            for part in person.parts
        }
        self._hair = [
            haircurves.curves(growth, strands.points)
            for growth, strands in zip(person.growths, person.neutral.strands, strict=True)
        ]
        self._surroundings = Surroundings(lights)
        skin = self._meshes["skin"].materials[0]
        self._skin = materials.SkinState(skin, person.identity, person.cast)
        self._regions = complexion.regions(person.base)
        self._complexion = complexion.paint(person.identity, self._regions)
        self._albedo = person.albedo

    def enter(self, scene: Scene, signs: Mapping[str, float]) -> None:
        """Put the person, with `signs` of illness, into a scene with as many lights."""
        world = scene.world.name if scene.world else None
        bpy.context.scene.cycles.samples = self._samples * worlds.grain(world)
        self._surroundings.show(scene, self._centre, self._albedo)
        painted = sign.paint(self._complexion, signs, self._regions)
        self._skin.become(painted, sign.whole(signs), sign.saturation(signs))

    def shoot(self, posed: Posed, seed: int, pulse: np.ndarray | None = None) -> np.ndarray:
        """(H, W, 3) uint8 sRGB of one frame; `seed` is the sampler's.

        `pulse` (3,) is the relative change of the skin's linear RGB.
        """
        self._skin.beat(1.0 + (np.zeros(3) if pulse is None else pulse))
        for name, vertices in posed.parts.items():
            mesh, seen = self._meshes[name], vertices[self._seen[name]]
            mesh.vertices.foreach_set("co", seen.astype(np.float32).ravel())
            mesh.update()
        for growth, strands in zip(self._hair, posed.strands, strict=True):
            haircurves.move(growth, strands.points)
        folds = self._meshes["skin"].attributes["creases"]
        folds.data.foreach_set("vector", posed.creases[self._seen["skin"]].ravel())
        scene = bpy.context.scene
        scene.cycles.seed = seed % 2**31
        with tempfile.TemporaryDirectory(dir=_ram_disk(), prefix="pallor-") as folder:
            path = Path(folder) / "frame.bmp"
            scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True)
            node_pictures.drop_unused()
            return np.ascontiguousarray(iio.imread(path)[..., :3])


def studio(
    person: Person, scene: Scene, size: int, samples: int, threads: int,
    signs: Mapping[str, float] | None = None,
) -> Studio:  # fmt: skip
    """The studio of a person in a scene: the one that stands, when it is theirs."""
    opened = _studio(person, len(scene.lights), size, samples, threads)
    opened.enter(scene, signs or {})
    return opened


@lru_cache(maxsize=1)  # Blender holds one; the clips of a chunk are one person's, mostly
def _studio(person: Person, lights: int, size: int, samples: int, threads: int) -> Studio:
    return Studio(person, lights, size, samples, threads)


def _ram_disk() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _settings(size: int, threads: int) -> str:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "BMP"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    scene.render.dither_intensity = 0.0
    # Highlights roll off as a film's do: white cloth beside dark skin is not burnt out.
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    cycles = scene.cycles
    cycles.use_adaptive_sampling = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    # Ribbons of hair turn any way: as a guide their normals drew dots along every outline.
    cycles.denoising_input_passes = "RGB_ALBEDO"
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "HIGH"
    cycles.max_bounces = 2
    cycles.transparent_max_bounces = 12  # layers of lashes and lids
    cycles.caustics_reflective = cycles.caustics_refractive = False
    haircurves.set_shape(scene)
    return _device()


def _device() -> str:
    """Use the first GPU kind Blender finds; the returned sentence says which and why."""
    cycles = bpy.context.scene.cycles
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in _GPU_KINDS:
        try:
            devices = preferences.get_devices_for_type(kind)
        except ValueError:  # this build of Blender does not know the kind
            continue
        if devices:
            preferences.compute_device_type = kind
            for device in devices:
                device.use = True
            cycles.device = "GPU"
            return f"GPU {kind} ({devices[0].name}): Blender found it"
    cycles.device = "CPU"
    return "CPU: Blender found no GPU of kind " + ", ".join(_GPU_KINDS)


def _object(
    part: Part, vertices: np.ndarray, seen: np.ndarray, identity: Identity
) -> bpy.types.Mesh:
    quads = np.searchsorted(seen, part.quads)
    mesh = bpy.data.meshes.new(part.name)
    corners = [quad if quad[2] != quad[3] else quad[:3] for quad in quads.tolist()]
    mesh.from_pydata(vertices[seen].tolist(), [], corners)
    own = np.ones(quads.shape, dtype=bool)  # a triangle's fourth corner repeats its third
    own[:, 3] = quads[:, 2] != quads[:, 3]
    uvs = mesh.uv_layers.new(name="uv").data
    uvs.foreach_set("uv", part.uvs[own].astype(np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(quads), dtype=bool))
    if part.gown is not None:
        cover = mesh.attributes.new("gown", "FLOAT", "POINT")
        cover.data.foreach_set("value", part.gown[seen].astype(np.float32))
        mesh.attributes.new("creases", "FLOAT_VECTOR", "POINT")
    if part.cover is not None:
        shade = mesh.attributes.new("cover", "FLOAT", "POINT")
        shade.data.foreach_set("value", part.cover[seen].astype(np.float32))
    mesh.materials.append(materials.make(part, identity))
    mesh.update()
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(part.name, mesh))
    return mesh
