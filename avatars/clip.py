"""A clip: one person, one expression, one scene; frames and their exact truth."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from avatars import angles, expression, landmarks, optics, passes, raster
from avatars.assets import Assets
from avatars.conditions import Condition, execute
from avatars.errors import AvatarError
from avatars.identity import Identity
from avatars.person import Person, Posed
from avatars.raster import View
from avatars.scene import Scene
from avatars.targets import Targets
from avatars.units import UNITS

# m that a landmark, the mean of several vertices, may lie below the skin between them.
_INTO_SKIN = 0.003


@dataclass(frozen=True)
class ClipSpec:
    """All that decides a clip's bytes; square frames of `size` pixels, `samples` a pixel.

    `stills`, {unit: (left, right)} a frame, are performed exactly, in place of the expression.
    `passes` of `passes.PASSES` add per-pixel truth and leave the frames as they are.
    """

    identity: Identity
    expression: str
    scene: Scene
    seed: int
    frames: int
    fps: int
    size: int
    samples: int
    conditions: tuple[Condition, ...] = ()
    passes: tuple[str, ...] = ()
    stills: tuple[dict[str, list[float]], ...] = ()

    def check(self) -> None:
        """Raise AvatarError for what cannot be rendered, before anything is built."""
        if self.fps < 1:
            raise AvatarError(f"a clip needs at least 1 frame a second, got {self.fps}")
        if self.size < 32:
            raise AvatarError(f"a frame of {self.size} px shows no face; use 32 px or more")
        if self.samples < 1:
            raise AvatarError(f"samples must be 1 or more, got {self.samples}")
        if self.stills and len(self.stills) != self.frames:
            raise AvatarError(f"{len(self.stills)} stills do not make {self.frames} frames")
        passes.require_passes(self.passes)
        angles.require(self.scene.camera.azimuth, self.scene.camera.elevation)
        for condition in self.conditions:
            condition.check()


Truth = dict[str, np.ndarray]


def render(
    spec: ClipSpec, assets: Assets, threads: int, say: Callable[[str], None] = print
) -> tuple[np.ndarray, Truth]:
    """Frames (T, S, S, 3) uint8 sRGB and the truth of a clip (`docs/formats/clip.md`)."""
    from avatars import blender  # only where pixels are asked for

    spec.check()
    course = play(spec, assets)
    studio = blender.studio(course.person, spec.scene, spec.size, spec.samples, threads)
    say(f"render: device {studio.device}")
    frames = np.stack([studio.shoot(p, spec.seed + n) for n, p in enumerate(course.posed)])
    return frames, truth(spec, course)


def geometry(spec: ClipSpec, assets: Assets) -> Truth:
    """The truth of a clip, its passes included, without a rendered frame and without Blender."""
    spec.check()
    return truth(spec, play(spec, assets))


class Course(NamedTuple):
    """A clip as geometry: who, what they meant to do, what they did, and each frame of it."""

    person: Person
    performance: expression.Performance
    executed: np.ndarray
    posed: list[Posed]


def play(spec: ClipSpec, assets: Assets) -> Course:
    """The course of a clip: bytes of its specification alone."""
    performance = perform(spec)
    person = _person(json.dumps(spec.identity.row()), assets)
    executed = execute(spec.conditions, performance.intended, spec.fps)
    motion = (executed, performance.head_deg, performance.gaze_deg, performance.shift_mm)
    posed = [person.posed(*frame) for frame in zip(*motion, strict=True)]
    return Course(person, performance, executed, posed)


def view(spec: ClipSpec, person: Person, posed: Posed) -> View:
    """A posed person before the camera of a clip, as passes and flow ask for it."""
    camera = optics.projection(spec.scene.camera, person.centre, spec.size)
    return View(person.parts, posed.parts, camera, spec.size, posed.strands)


@lru_cache(maxsize=1)  # the clips of a chunk are one person's, mostly
def _person(row: str, assets: Assets) -> Person:
    return Person(Identity.parse(json.loads(row)), assets, Targets(assets.targets()))


def perform(spec: ClipSpec) -> expression.Performance:
    """The performance of a clip: its stills, or the expression drawn from its own seed."""
    if spec.stills:
        return expression.hold(spec.stills)
    rng = np.random.default_rng(spec.seed)
    return expression.perform(expression.load(spec.expression), spec.frames, spec.fps, rng)


def truth(spec: ClipSpec, course: Course) -> Truth:
    """The arrays of a clip's truth file, keyed as `docs/formats/clip.md` lists them."""
    person, performance, executed, posed = course
    camera = optics.projection(spec.scene.camera, person.centre, spec.size)
    views = [view(spec, person, p) for p in posed]
    arrays = {
        "units": np.array(list(UNITS)),
        "intended": performance.intended.astype(np.float32),
        "executed": executed.astype(np.float32),
        "head_deg": performance.head_deg.astype(np.float32),
        "gaze_deg": performance.gaze_deg.astype(np.float32),
        "head_shift_mm": performance.shift_mm.astype(np.float32),
        "camera": camera,
        "landmarks_px": np.stack(
            [landmarks.project(p.landmarks, camera) for p in posed]
        ).astype(np.float32),
        "landmarks_visible": np.stack(
            [_visible(spec, person, *frame) for frame in zip(views, posed, strict=True)]
        ),
        "aperture_mm": np.stack([p.apertures for p in posed]).astype(np.float32),
        "mouth_mm": np.array([p.mouth for p in posed], dtype=np.float32),
    }  # fmt: skip
    return arrays | passes.record(spec.passes, views) if spec.passes else arrays


def _visible(spec: ClipSpec, person: Person, seen: View, posed: Posed) -> np.ndarray:
    """(68,) whether the skin at each landmark faces the camera and no other skin hides it."""
    eye = optics.pose(spec.scene.camera, person.centre)[:3, 3]
    facing = landmarks.facing(posed.parts["skin"], person.quads, eye)
    skin = seen._replace(parts=[part for part in person.parts if part.name == "skin"])
    return np.asarray(facing & ~raster.hidden(skin, posed.landmarks, _INTO_SKIN))
