"""Landmarks in pixels against Blender's own camera, in a Blender process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from avatars import landmarks, optics
from avatars.units import UNITS

ROOT = Path(__file__).parents[2]
SIZE = 128
# Mean of each landmark's mesh vertices as Blender holds them, through Blender's own camera.
SEEN_BY_BLENDER = """
import json, sys, os
import bpy, numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from pathlib import Path
from avatars import blender, landmarks
from avatars.assets import Assets
from avatars.identity import Identity
from avatars.person import Person
from avatars.scene import Scene
from avatars.targets import Targets
from avatars.worker import silent_stdout

ask = json.load(sys.stdin)
assets = Assets(Path(ask["assets"]))
person = Person(Identity.parse(ask["identity"]), assets, Targets(assets.targets()))
posed = person.posed(*(np.array(ask[name]) for name in ("executed", "head_deg", "gaze_deg")))
with silent_stdout() as say:
    studio = blender.studio(person, Scene.parse(ask["scene"]), ask["size"], 1, 1)
    mesh, placed = bpy.data.meshes["skin"], np.unique(person.quads)
    mesh.vertices.foreach_set("co", posed.parts["skin"][placed].astype(np.float32).ravel())
    bpy.context.view_layer.update()
    vertices = np.full_like(posed.parts["skin"], np.nan)
    vertices[placed] = [vertex.co[:] for vertex in mesh.vertices]
    scene = bpy.context.scene
    points = landmarks.locate(vertices)
    seen = [world_to_camera_view(scene, scene.camera, Vector(point)) for point in points]
    say(json.dumps([[ask["size"] * x, ask["size"] * (1 - y)] for x, y, _ in seen]))
os._exit(0)
"""


def test_landmarks_reproject_onto_the_mesh_points_they_name(assets, person, identity, scene):
    executed = np.zeros((len(UNITS), 2))
    executed[[list(UNITS).index("12"), list(UNITS).index("26")]] = 0.8
    pose = {"executed": executed, "head_deg": np.array([20.0, -8, 5]), "gaze_deg": np.zeros(2)}
    ask = {name: values.tolist() for name, values in pose.items()}
    ask |= {"assets": str(assets.root.resolve()), "identity": identity.row(), "size": SIZE}
    run = subprocess.run(
        [sys.executable, "-c", SEEN_BY_BLENDER], input=json.dumps(ask | {"scene": scene.row()}),
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    camera = optics.projection(scene.camera, person.centre, SIZE)
    points = landmarks.project(person.posed(*pose.values()).landmarks, camera)
    assert np.abs(points - np.array(json.loads(run.stdout.splitlines()[-1]))).max() < 0.5
