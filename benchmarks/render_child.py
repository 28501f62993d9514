"""Measures a chunk of clips inside one Blender process, as `avatars.worker` renders them.

Request on stdin as the worker's; one JSON line: frames and seconds of all clips through the
product's own code, and of a frame, what path tracing and denoising take (medians over the clips).

Both are told apart by what they scale with, since Blender does not hand out Cycles' own timers:
path tracing is what more samples add, a sample; denoising is what switching it on adds. What is
left of a clip is overhead: geometry, scene, synchronisation, BVH, files and truth. Those shares are
of the processor's seconds, which a neighbour's work on the machine moves less than the clock's.
"""

import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import bpy
import numpy as np

from avatars import blender, clip
from avatars.assets import Assets
from avatars.conditions import execute
from avatars.person import Person, Posed
from avatars.targets import Targets
from avatars.worker import parse_spec, pin, silent_stdout

MORE = 32  # samples added to tell path tracing's time
FRAMES = 5  # of a clip that are looked into


def main() -> None:
    """Measure every clip of the request on stdin."""
    request = json.load(sys.stdin)
    if request["core"] is not None:
        pin(request["core"])
    assets = Assets(Path(request["assets"]))
    specs = [parse_spec(row["spec"]) for row in request["clips"]]
    with silent_stdout() as say:
        start, begun = time.perf_counter(), time.process_time()
        for spec, row in zip(specs, request["clips"], strict=True):
            whole_clip(spec, assets, Path(row["out"]))
        spent = {"seconds": time.perf_counter() - start, "busy": time.process_time() - begun}
        parts = [frame_parts(spec, assets) for spec in specs]
        tracing, denoising = (median(column) for column in zip(*parts, strict=True))
        report = {"frames": sum(spec.frames for spec in specs), **spent}
        say(json.dumps({**report, "tracing": tracing, "denoising": denoising}))


def whole_clip(spec: clip.ClipSpec, assets: Assets, out: Path) -> None:
    """From specification to files, as in the worker."""
    frames, truth = clip.render(spec, assets, threads=1, say=lambda line: None)
    np.save(out / "frames.npy", frames)
    np.savez(out / "truth.npz", **truth)


def frame_parts(spec: clip.ClipSpec, assets: Assets) -> tuple[float, float]:
    """Seconds of path tracing and of denoising a frame: medians over frames of the clip."""
    person = Person(spec.identity, assets, Targets(assets.targets()))
    studio = blender.studio(person, spec.scene, spec.size, spec.samples, threads=1)
    shot(studio, person.neutral, spec.samples, True)  # the first frame also loads textures
    course = clip.perform(spec)
    executed = execute(spec.conditions, course.intended, spec.fps)
    tracing, denoising = [], []
    for frame in np.linspace(0, spec.frames - 1, FRAMES).astype(int):
        posed = person.posed(
            executed[frame], course.head_deg[frame], course.gaze_deg[frame], course.shift_mm[frame]
        )
        usual = shot(studio, posed, spec.samples, True)
        more = shot(studio, posed, spec.samples + MORE, True)
        raw = shot(studio, posed, spec.samples, False)
        tracing.append((more - usual) / MORE * spec.samples)
        denoising.append(usual - raw)
    return median(tracing), median(denoising)


def shot(studio: blender.Studio, posed: Posed, samples: int, denoise: bool) -> float:
    """Processor seconds of one frame."""
    cycles = bpy.context.scene.cycles
    cycles.samples, cycles.use_denoising = samples, denoise
    start = time.process_time()
    studio.shoot(posed, seed=1)
    return time.process_time() - start


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's atexit handlers can deadlock in background mode
