"""A clip: one person, one expression, one scene; frames and their exact truth."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from avatars import (
    angles,
    covering,
    expression,
    landmarks,
    occluders,
    optics,
    passes,
    raster,
    vitals,
)
from avatars import signs as sign
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
    `passes` of `passes.PASSES` add per-pixel truth and leave the frames as they are. `signs` of
    illness ({name: value in [0, 1]}, `signs.SIGNS`) and `occluders` are on the face throughout.
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
    signs: dict[str, float] = field(default_factory=dict)
    occluders: tuple[str, ...] = ()

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
        sign.check(self.signs)
        occluders.check(self.occluders)


Truth = dict[str, np.ndarray]
_VITALS = 1  # a stream of their own beside the performance's, which keeps its draws


def render(
    spec: ClipSpec, assets: Assets, threads: int, say: Callable[[str], None] = print
) -> tuple[np.ndarray, Truth]:
    """Frames (T, S, S, 3) uint8 sRGB and the truth of a clip (`docs/formats/clip.md`)."""
    from avatars import blender  # only where pixels are asked for

    spec.check()
    course = play(spec, assets)
    studio = blender.studio(course.person, spec.scene, spec.size, spec.samples, threads, spec.signs)
    say(f"render: device {studio.device}")
    beats = zip(course.posed, course.vitals.pulse, strict=True)
    frames = np.stack([studio.shoot(p, spec.seed + n, beat) for n, (p, beat) in enumerate(beats)])
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
    vitals: vitals.Vitals
    posed: list[Posed]


def play(spec: ClipSpec, assets: Assets) -> Course:
    """The course of a clip: bytes of its specification alone."""
    performance = perform(spec)
    person = _person(json.dumps(spec.identity.row()), spec.occluders, assets)
    executed = execute(spec.conditions, performance.intended, spec.fps)
    alive = _live(spec)
    motion = (
        executed, performance.head_deg, performance.gaze_deg, performance.shift_mm, alive.breath_mm,
    )  # fmt: skip
    far = spec.scene.camera.distance
    posed = [person.posed(*frame, gaze_m=far) for frame in zip(*motion, strict=True)]
    return Course(person, performance, executed, alive, posed)


def view(spec: ClipSpec, person: Person, posed: Posed) -> View:
    """A posed person before the camera of a clip, as passes and flow ask for it."""
    camera = optics.projection(spec.scene.camera, person.centre, spec.size)
    return View(person.parts, posed.parts, camera, spec.size, posed.strands)


@lru_cache(maxsize=1)  # the clips of a chunk are one person's, mostly
def _person(row: str, worn: tuple[str, ...], assets: Assets) -> Person:
    return Person(Identity.parse(json.loads(row)), assets, Targets(assets.targets()), worn)


def perform(spec: ClipSpec) -> expression.Performance:
    """The performance of a clip: its stills, or the expression drawn from its own seed."""
    if spec.stills:
        return expression.hold(spec.stills)
    rng = np.random.default_rng(spec.seed)
    return expression.perform(expression.load(spec.expression), spec.frames, spec.fps, rng)


def _live(spec: ClipSpec) -> vitals.Vitals:
    """Breath and pulse of a clip, from its seed; stills are as still as asked."""
    if spec.stills:
        return vitals.still(spec.frames)
    return vitals.course(spec.frames, spec.fps, np.random.default_rng([spec.seed, _VITALS]))


def truth(spec: ClipSpec, course: Course) -> Truth:
    """The arrays of a clip's truth file, keyed as `docs/formats/clip.md` lists them."""
    person, performance, executed, alive, posed = course
    camera = optics.projection(spec.scene.camera, person.centre, spec.size)
    views = [view(spec, person, p) for p in posed]
    arrays = {
        "units": np.array(list(UNITS)),
        "intended": performance.intended.astype(np.float32),
        "executed": executed.astype(np.float32),
        "head_deg": performance.head_deg.astype(np.float32),
        "gaze_deg": performance.gaze_deg.astype(np.float32),
        "head_shift_mm": performance.shift_mm.astype(np.float32),
        "gaze_m": np.array(spec.scene.camera.distance),
        "breath_mm": alive.breath_mm.astype(np.float32),
        "pulse": alive.pulse.astype(np.float32),
        "signs": np.array(sign.SIGNS),
        "sign_values": np.array([spec.signs.get(name, 0.0) for name in sign.SIGNS], np.float32),
        "occluders": np.array(spec.occluders, dtype=str),
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
    """(68,) whether the skin at each landmark faces the camera and nothing hides it.

    Other skin and what is worn can; strands do not count.
    """
    eye = optics.pose(spec.scene.camera, person.centre)[:3, 3]
    facing = landmarks.facing(posed.parts["skin"], person.quads, eye)
    skin = seen._replace(parts=[part for part in person.parts if part.name == "skin"])
    behind = raster.hidden(skin, posed.landmarks, _INTO_SKIN) | covering.hidden(seen, posed)
    return np.asarray(facing & ~behind)
