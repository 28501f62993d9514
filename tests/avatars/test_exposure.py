from dataclasses import replace

import numpy as np
import pytest

from avatars import worlds
from avatars.exposure import LUMA, _facing, _lamps, gains
from avatars.scene import World, sample_scene

SCENES = [sample_scene(np.random.default_rng(seed)) for seed in range(40)]


def radiance(scene, albedo):
    """Luminance that a face of that albedo sends to the camera, on average."""
    bright = gains(scene, albedo)
    normals, shares = _facing(scene)
    light = bright.lamps * shares @ _lamps(scene, normals)
    if scene.world:
        around = shares @ worlds.irradiance(scene.world.name, scene.world.turn, normals)
        light = light + bright.world * around
    return float(albedo * light @ LUMA / np.pi)


def test_scenes_have_lamps_alone_or_a_panorama_as_well():
    share = np.mean([scene.world is not None for scene in SCENES])
    assert 0.4 < share < 0.8
    assert {s.backdrop.kind for s in SCENES if s.world is None} <= {"plain", "ward", "pillow"}


def test_a_face_is_as_bright_in_every_light():
    even = [radiance(replace(scene, exposure=0.0), 0.25) for scene in SCENES]
    assert np.allclose(even, even[0])


def test_dark_skin_stays_darker_but_gets_more_light():
    scene = SCENES[0]
    dark, light = (radiance(scene, albedo) for albedo in (0.05, 0.5))
    assert 2 < light / dark < 10 * 0.6


def test_exposure_is_in_stops():
    scene = replace(SCENES[1], exposure=0.0)
    assert radiance(replace(scene, exposure=1.0), 0.3) == pytest.approx(2 * radiance(scene, 0.3))


def test_white_balance_takes_out_most_of_a_coloured_light():
    scene = replace(SCENES[0], world=World("sunset", 90.0, 0.8))
    normals, shares = _facing(scene)
    around = shares @ worlds.irradiance("sunset", 90.0, normals)
    before, after = around, gains(scene, 0.3).world * around
    assert np.ptp(np.log(after)) < 0.5 * np.ptp(np.log(before))


def test_nobody_is_seen_against_the_sun():
    front = np.array([[0.0, -1.0, 0.0]])
    for scene in SCENES:
        if scene.world:
            name = scene.world.name
            best = max(worlds.irradiance(name, turn, front).sum() for turn in range(0, 360, 15))
            assert worlds.irradiance(name, scene.world.turn, front).sum() > 0.4 * best
