import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatars import worlds
from avatars.errors import AssetError, AvatarError

ROOT = Path(__file__).parents[2]
NORMALS = np.random.default_rng(0).normal(size=(40, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)


def wheel():
    """The panoramas of the installed wheel, without starting Blender."""
    package = Path(importlib.util.find_spec("bpy").origin).parent
    return sorted(package.glob("*/datafiles/studiolights/world/*.exr"))


def test_every_panorama_of_the_wheel_is_known_and_as_pinned():
    assert [path.stem for path in wheel()] == worlds.names()
    for path in wheel():
        worlds.verify(path)


def test_an_altered_and_a_missing_panorama_are_refused(tmp_path):
    broken = tmp_path / "city.exr"
    with pytest.raises(AssetError, match="is missing; install the pinned bpy wheel"):
        worlds.verify(broken)
    broken.write_bytes(b"no picture")
    with pytest.raises(AssetError, match="SHA-256"):
        worlds.verify(broken)


def test_an_unknown_panorama_names_the_nearest():
    with pytest.raises(AvatarError, match="no world light 'forrest'; the nearest is 'forest'"):
        worlds.require("forrest")


def test_even_light_is_pi_on_every_surface(monkeypatch):
    even = worlds.project(np.ones((64, 128, 3)))
    monkeypatch.setattr(worlds, "_table", lambda: {"even": {"harmonics": even}})
    assert np.allclose(worlds.irradiance("even", 33.0, NORMALS), np.pi, rtol=2e-3)


def test_nine_harmonics_tell_the_light_of_a_soft_sky(monkeypatch):
    towards = worlds.directions(64)
    sky = np.repeat((1 + towards @ [0.6, -0.5, 0.4])[..., None] ** 2, 3, axis=-1)
    monkeypatch.setattr(worlds, "_table", lambda: {"sky": {"harmonics": worlds.project(sky)}})
    area = np.sqrt(1 - towards[..., 2] ** 2) * np.pi**2 / 64**2
    facing = np.clip(np.einsum("hwk,nk->nhw", towards, NORMALS), 0, None)
    exact = np.einsum("nhw,hw,hwc->nc", facing, area, sky)
    assert np.allclose(worlds.irradiance("sky", 0.0, NORMALS), exact, rtol=0.02, atol=0.02)


def test_a_turn_of_the_panorama_turns_its_light():
    a = np.radians(50)
    turned = NORMALS @ np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
    for name in worlds.names():
        whole = worlds.irradiance(name, 50.0, NORMALS)
        assert np.allclose(whole, worlds.irradiance(name, 0.0, turned))


def test_the_small_lamps_of_studio_alone_need_more_samples():
    assert {name for name in worlds.names() if worlds.grain(name) > 1} == {"studio"}
    assert worlds.grain("studio") == 2
    assert worlds.grain(None) == 1


AGAIN = """
import numpy as np
from avatars import panoramas, worlds
table = worlds._table()
print([
    bool(np.allclose(worlds.project(panoramas.load(n)), table[n]["harmonics"], atol=2e-5))
    for n in worlds.names()
])
"""


def test_the_table_holds_what_the_pictures_say():
    run = subprocess.run(
        [sys.executable, "-c", AGAIN], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert str([True] * 8) in run.stdout
