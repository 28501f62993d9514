"""The plain script a clip is compared with: for every frame, rebuild all and write a PNG.

What one writes first: read the assets, shape the person, open a scene, render, save, next frame.
Geometry, materials, lights and samples are `avatars`' own; Blender's defaults stay where
`avatars` chose otherwise (denoiser prefilter, no persistent data), unless the request says
"denoiser": "ours". Request on stdin as `avatars.worker`'s; frames go to <out>/0000.png and so on,
and each clip is answered with its seconds.
"""

import json
import os
import sys
import time
from pathlib import Path

import bpy
import imageio.v3 as iio
import numpy as np

from avatars import basemesh, blender, clip
from avatars.assets import Assets
from avatars.conditions import execute
from avatars.person import Person
from avatars.targets import Targets
from avatars.worker import parse_spec, pin


def main() -> None:
    """Render every clip of the request on stdin, frame by frame from nothing."""
    request = json.load(sys.stdin)
    quiet()
    if request["core"] is not None:
        pin(request["core"])
    assets = Assets(Path(request["assets"]))
    for number, row in enumerate(request["clips"]):
        spec = parse_spec(row["spec"])
        start = time.perf_counter()
        for frame in range(spec.frames):
            picture = one_frame(spec, frame, assets, request["denoiser"] == "ours")
            iio.imwrite(Path(row["out"]) / f"{frame:04}.png", picture)
        print(json.dumps({"clip": number, "seconds": time.perf_counter() - start}), flush=True)


def one_frame(spec: clip.ClipSpec, frame: int, assets: Assets, ours: bool) -> np.ndarray:
    """Frame number `frame` of a clip, nothing kept from the frame before."""
    basemesh.load.cache_clear()
    performance = clip.perform(spec)
    executed = execute(spec.conditions, performance.intended, spec.fps)
    person = Person(spec.identity, assets, Targets(assets.targets()))
    posed = person.posed(
        executed[frame], performance.head_deg[frame], performance.gaze_deg[frame],
        performance.shift_mm[frame],
    )  # fmt: skip
    studio = blender.Studio(person, len(spec.scene.lights), spec.size, spec.samples, threads=1)
    studio.enter(spec.scene, spec.signs)
    if not ours:
        bpy.context.scene.render.use_persistent_data = False
        bpy.context.scene.cycles.denoising_prefilter = "ACCURATE"
    return studio.shoot(posed, spec.seed + frame)


def quiet() -> None:
    """Blender's own chatter goes to stderr; print keeps the old stdout."""
    sys.stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's atexit handlers can deadlock in background mode
