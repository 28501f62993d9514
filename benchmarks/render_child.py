"""Measures a chunk of clips inside one Blender process, as `avatars.worker` renders them.

Request on stdin as the worker's; one JSON line: frames, seconds by the clock and of the processor
of all clips through the product's own code, the processor's seconds inside Blender's render call,
and of a frame, what path tracing, denoising and all else in that call take (medians).

Blender does not hand out Cycles' own timers, so the three are told apart by what they scale with:
path tracing is what more samples add, denoising what switching it on adds; the rest of the call
is synchronisation and BVH. What is outside of the call is overhead too: people, poses, files.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import bpy
import numpy as np

from avatars import blender, clip
from avatars.assets import Assets
from avatars.conditions import execute
from avatars.person import Person
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
        calls = RenderCalls()
        start, begun = time.perf_counter(), time.process_time()
        for spec, row in zip(specs, request["clips"], strict=True):
            whole_clip(spec, assets, Path(row["out"]))
        report = {
            "frames": sum(spec.frames for spec in specs), "seconds": time.perf_counter() - start,
            "busy": time.process_time() - begun, "called": calls.seconds,
        }  # fmt: skip
        parts = [part for spec in specs for part in frame_parts(spec, assets, calls)]
        names = ("tracing", "denoising", "rest")
        medians = (median(column) for column in zip(*parts, strict=True))
        say(json.dumps({**report, **dict(zip(names, medians, strict=True))}))


class RenderCalls:
    """The processor's seconds that Blender's render calls have taken so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        persistent = bpy.app.handlers.persistent  # a new studio must not remove them
        bpy.app.handlers.render_init.append(persistent(lambda *_: self._add(-1)))
        bpy.app.handlers.render_complete.append(persistent(lambda *_: self._add(1)))

    def _add(self, sign: int) -> None:
        self.seconds += sign * time.process_time()


def whole_clip(spec: clip.ClipSpec, assets: Assets, out: Path) -> None:
    """From specification to files, as in the worker."""
    frames, truth = clip.render(spec, assets, threads=1, say=lambda line: None)
    np.save(out / "frames.npy", frames)
    np.savez(out / "truth.npz", **truth)


def frame_parts(
    spec: clip.ClipSpec, assets: Assets, calls: RenderCalls
) -> Iterator[tuple[float, float, float]]:
    """Seconds of path tracing, of denoising and of the rest of the call, of some of its frames."""
    person = Person(spec.identity, assets, Targets(assets.targets()))
    studio = blender.studio(person, spec.scene, spec.size, spec.samples, threads=1)
    course = clip.perform(spec)
    executed = execute(spec.conditions, course.intended, spec.fps)

    def shot(samples: int, denoise: bool) -> float:
        cycles = bpy.context.scene.cycles
        cycles.samples, cycles.use_denoising = samples, denoise
        before = calls.seconds
        studio.shoot(posed, seed=1)
        return calls.seconds - before

    posed = person.neutral
    shot(1, True)  # the first frame also loads textures
    for frame in np.linspace(0, spec.frames - 1, FRAMES).astype(int):
        posed = person.posed(
            executed[frame], course.head_deg[frame], course.gaze_deg[frame], course.shift_mm[frame]
        )
        one, many = shot(1, False), shot(1 + MORE, False)
        usual, raw = shot(spec.samples, True), shot(spec.samples, False)
        sample = (many - one) / MORE
        yield sample * spec.samples, usual - raw, one - sample


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's atexit handlers can deadlock in background mode
