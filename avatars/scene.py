"""Camera, lights and backdrop of a clip: plain records that know nothing of Blender.

Drawn from the clip's own seed, never from its class, so that nothing behind or above a face
can betray the expression. World frame: metres, z up, the person looks along -y, own left +x.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from avatars import angles, worlds
from avatars.errors import AvatarError

SENSOR_MM = 36.0


@dataclass(frozen=True)
class Camera:
    """A camera that looks at the face: focal length in mm, distance in m, angles in degrees.

    `azimuth` + stands on the person's own left, `elevation` + above; `shift` is where the face
    centre stands off the picture centre, as shares of the picture (right, up).
    """

    focal: float
    distance: float
    azimuth: float
    elevation: float
    roll: float
    shift: list[float]


@dataclass(frozen=True)
class Light:
    """An area light on a sphere around the face; kelvin, watts, size and distance in metres."""

    azimuth: float
    elevation: float
    distance: float
    size: float
    watts: float
    kelvin: float


@dataclass(frozen=True)
class World:
    """A panorama of `worlds` as light: `turn` in degrees, `share` of the face's light it gives."""

    name: str
    turn: float
    share: float


@dataclass(frozen=True)
class Backdrop:
    """What stands behind: kind plain|ward|pillow|world, its colours (linear RGB), its own seed.

    A `world` backdrop is the blurred panorama that lights the scene.
    """

    kind: str
    colours: list[list[float]]
    seed: int


@dataclass(frozen=True)
class Scene:
    """Everything of a clip that is not the person or the motion.

    Lamps and panorama say how light falls; how bright it is follows from the face that is
    metered (`exposure`), off which `exposure` stands, in stops.
    """

    camera: Camera
    lights: list[Light]
    setting: str
    ambient: float
    backdrop: Backdrop
    world: World | None
    exposure: float

    def row(self) -> dict[str, Any]:
        """The scene as plain JSON values."""
        return asdict(self)

    @classmethod
    def parse(cls, row: dict[str, Any]) -> "Scene":
        """The scene of a row; AvatarError names a field that is missing or unknown."""
        _require_fields(cls, row)
        return cls(
            camera=_record(Camera, row["camera"]),
            lights=[_record(Light, light) for light in row["lights"]],
            setting=row["setting"],
            ambient=row["ambient"],
            backdrop=_record(Backdrop, row["backdrop"]),
            world=_world_of(row["world"]),
            exposure=row["exposure"],
        )


def _record(kind: type, row: dict[str, Any]) -> Any:
    _require_fields(kind, row)
    return kind(**row)


def _world_of(row: dict[str, Any] | None) -> World | None:
    if row is None:
        return None
    world: World = _record(World, row)
    worlds.require(world.name)
    return world


def _require_fields(kind: type, row: dict[str, Any]) -> None:
    if wrong := {field.name for field in fields(kind)} ^ set(row):
        raise AvatarError(f"a {kind.__name__} row has wrong fields: {sorted(wrong)}")


# Settings as (azimuth, elevation, distance, size, watts, kelvin) of key, fill and rim.
# Keys stand off the camera axis: a frontal key gives dark skin hard highlights.
_SETTINGS = {
    "bedside": (
        (-48, 22, 1.1, 0.5, 17, 3400),
        (40, 18, 1.6, 1.0, 9, 4300),
        (160, 45, 1.4, 0.5, 9, 4000),
    ),
    "window": (
        (62, 28, 1.5, 1.2, 30, 6300),
        (-45, 15, 1.7, 1.0, 8, 5200),
        (-150, 40, 1.4, 0.6, 8, 5600),
    ),
    "overhead": (
        (-18, 58, 1.4, 1.2, 27, 5000),
        (25, 5, 1.7, 1.2, 11, 4800),
        (175, 50, 1.3, 0.6, 7, 5000),
    ),
}
_HEAD_BEHIND = 0.06  # m from the middle of the face, which a camera looks at, to the head's
_STEP_BACK = 0.04  # of the distance, for a profile: a head is deeper than it is wide
_BACKDROPS = ("plain", "ward", "pillow")
_WORLDS = 0.6  # of scenes stand in a panorama's light; the others have lamps alone
_TURNS = 12  # draws for a panorama's turn: two turns in three light the face well enough
_LIT = 0.5  # of the panorama's best light must fall on the face: no one is seen against the sun


def sample_scene(rng: np.random.Generator) -> Scene:
    """A scene at the framing the compact motion model knows: the head about 60 % of the width."""
    setting = str(rng.choice(list(_SETTINGS)))
    mirrored = -1.0 if rng.random() < 0.5 else 1.0
    camera = _camera(rng)
    lights = [_light(rng, mirrored, *values) for values in _SETTINGS[setting]]
    ambient = _rounded(rng.uniform(0.22, 0.4))
    backdrop = _backdrop(rng)
    world = _world(rng)
    if world and rng.random() < 0.5:
        backdrop = replace(backdrop, kind="world")
    exposure = _rounded(rng.uniform(-0.35, 0.25))
    return Scene(camera, lights, setting, ambient, backdrop, world, exposure)


def _world(rng: np.random.Generator) -> World | None:
    name, share = str(rng.choice(worlds.names())), rng.uniform(0.6, 0.9)
    turns = rng.uniform(0, 360, _TURNS)
    if rng.random() > _WORLDS:
        return None
    front = np.array([[0.0, -1.0, 0.0]])
    lit = [worlds.irradiance(name, turn, front).sum() for turn in turns]
    first = int(np.argmax(np.array(lit) >= _LIT * max(lit)))
    return World(name, _rounded(turns[first]), _rounded(share))


def seen_from(scene: Scene, azimuth: float, elevation: float) -> Scene:
    """The same scene before a camera at other angles, in degrees, about as far away.

    A camera beside the head is aimed behind the face and stands back a little, so that the whole
    head is in the picture.
    Raises AvatarError past the limits of `avatars.angles`.
    """
    angles.require(azimuth, elevation)
    camera = scene.camera
    width = camera.distance * SENSOR_MM / camera.focal  # metres seen at the face
    sideways = _HEAD_BEHIND / width * (_sine(camera.azimuth) - _sine(azimuth))
    shift = [_rounded(camera.shift[0] + sideways), camera.shift[1]]
    distance = _rounded(camera.distance * (1 + _STEP_BACK * abs(_sine(azimuth))))
    moved = replace(
        camera, azimuth=azimuth, elevation=elevation, shift=shift, distance=distance
    )  # fmt: skip
    return replace(scene, camera=moved)


def _sine(degrees: float) -> float:
    return float(np.sin(np.radians(degrees)))


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _camera(rng: np.random.Generator) -> Camera:
    focal = rng.uniform(110, 150)
    return Camera(
        focal=_rounded(focal),
        distance=_rounded(focal / 85 * rng.uniform(0.62, 0.70)),
        azimuth=_rounded(rng.uniform(-7, 7)),
        elevation=_rounded(rng.uniform(-5, 7)),
        roll=_rounded(rng.normal(0, 1.5)),
        shift=[_rounded(v) for v in rng.uniform(-0.03, 0.03, 2)],
    )


def _light(
    rng: np.random.Generator, mirrored: float, azimuth: float, elevation: float,
    distance: float, size: float, watts: float, kelvin: float,
) -> Light:  # fmt: skip
    return Light(
        azimuth=_rounded(mirrored * azimuth + rng.normal(0, 6)),
        elevation=_rounded(elevation + rng.normal(0, 4)),
        distance=distance,
        size=size,
        watts=_rounded(watts * rng.uniform(0.65, 0.95)),
        kelvin=_rounded(kelvin * rng.uniform(0.93, 1.07)),
    )


def _backdrop(rng: np.random.Generator) -> Backdrop:
    base = rng.uniform(0.10, 0.55)
    tint = rng.normal(0, 0.05, 3)
    colours = [np.clip(base * scale + tint, 0.02, 0.9) for scale in (1.0, rng.uniform(0.6, 1.5))]
    return Backdrop(
        kind=str(rng.choice(_BACKDROPS)),
        colours=[[_rounded(c) for c in colour] for colour in colours],
        seed=int(rng.integers(2**31)),
    )


def black_body(kelvin: float) -> np.ndarray:
    """(3,) linear RGB of a black body, largest channel 1.

    A power law around 6,500 K, softened on the warm side as a camera's white balance does.
    """
    t = kelvin / 6500.0
    colour = np.array([t**-0.4, 1.0, t**0.7]) if t < 1 else np.array([t**-0.9, t**-0.35, 1.0])
    return np.asarray(colour / colour.max())
