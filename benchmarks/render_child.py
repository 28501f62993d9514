"""Measures a chunk of clips inside one Blender process, as `avatars.worker` renders them.

Request on stdin as the worker's; one JSON line: frames and seconds of all clips through the
product's own code, and of a frame, what path tracing and denoising take (medians over the clips).

Both are told apart by what they scale with, since Blender does not hand out Cycles' own timers:
path tracing is what more samples add, a sample; denoising is what switching it on adds. What is
left of a clip is overhead: geometry, scene, synchronisation, BVH, files and truth.
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
from avatars.person import Person, Posed
from avatars.targets import Targets
from avatars.worker import parse_spec, silent_stdout

MORE = 32  # samples added to tell path tracing's time
REPEATS = 3


def main() -> None:
    """Measure every clip of the request on stdin."""
    request = json.load(sys.stdin)
    if request["core"] is not None:
        os.sched_setaffinity(0, {request["core"]})
    assets = Assets(Path(request["assets"]))
    specs = [parse_spec(row["spec"]) for row in request["clips"]]
    with silent_stdout() as say:
        seconds = sum(
            whole_clip(spec, assets, Path(row["out"]))
            for spec, row in zip(specs, request["clips"], strict=True)
        )
        parts = [frame_parts(spec, assets) for spec in specs]
        tracing, denoising = (median(column) for column in zip(*parts, strict=True))
        report = {"frames": sum(spec.frames for spec in specs), "seconds": seconds}
        say(json.dumps({**report, "tracing": tracing, "denoising": denoising}))


def whole_clip(spec: clip.ClipSpec, assets: Assets, out: Path) -> float:
    """Seconds from specification to files, as in the worker."""
    start = time.perf_counter()
    frames, truth = clip.render(spec, assets, threads=1, say=lambda line: None)
    np.save(out / "frames.npy", frames)
    np.savez(out / "truth.npz", **truth)
    return time.perf_counter() - start


def frame_parts(spec: clip.ClipSpec, assets: Assets) -> tuple[float, float]:
    """Seconds of path tracing and of denoising in one frame, medians of interleaved repeats."""
    person = Person(spec.identity, assets, Targets(assets.targets()))
    studio = blender.studio(person, spec.scene, spec.size, spec.samples, threads=1)
    posed = person.neutral
    shot(studio, posed, spec.samples, True)  # the first frame also loads textures
    tracing, denoising = [], []
    for _ in range(REPEATS):
        usual = shot(studio, posed, spec.samples, True)
        more = shot(studio, posed, spec.samples + MORE, True)
        raw = shot(studio, posed, spec.samples, False)
        tracing.append((more - usual) / MORE * spec.samples)
        denoising.append(usual - raw)
    return median(tracing), median(denoising)


def shot(studio: blender.Studio, posed: Posed, samples: int, denoise: bool) -> float:
    """Seconds of one frame."""
    cycles = bpy.context.scene.cycles
    cycles.samples, cycles.use_denoising = samples, denoise
    start = time.perf_counter()
    studio.shoot(posed, seed=1)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's atexit handlers can deadlock in background mode
