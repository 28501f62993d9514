"""Real Blender renders at tiny size."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatars.clip import ClipSpec
from avatars.errors import AvatarError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def spec(identity, scene):
    return ClipSpec(identity, "FD3-L", scene, 11, frames=4, fps=2, size=64, samples=4)


def render(specs, assets, folder, threads=1):
    clips = []
    for number, spec in enumerate(specs):
        (folder / str(number)).mkdir(parents=True)
        row = dataclasses.asdict(spec)
        clips.append({"spec": row, "out": str(folder / str(number))})
    request = {"assets": str(assets.root), "threads": threads, "core": None, "clips": clips}
    return subprocess.run(
        [sys.executable, "-m", "avatars.worker"],
        input=json.dumps(request), capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def rendered(spec, assets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    run = render([spec, dataclasses.replace(spec, expression="neutral", frames=1)], assets, folder)
    assert run.returncode == 0, run.stderr
    return folder, run.stdout


def test_worker_says_its_device_and_each_finished_clip(rendered):
    lines = rendered[1].splitlines()
    assert lines[0].startswith("render: device ")
    assert [line for line in lines if line.startswith("done")] == ["done 0", "done 1"]


def test_frames_show_a_lit_moving_face(rendered):
    frames = np.load(rendered[0] / "0" / "frames.npy")
    assert frames.shape == (4, 64, 64, 3)
    assert frames.dtype == np.uint8
    assert 40 < frames.mean() < 220
    assert np.abs(frames[0].astype(int) - frames[2]).mean() > 4


def test_truth_has_the_documented_arrays(rendered):
    with np.load(rendered[0] / "0" / "truth.npz") as truth:
        assert truth["intended"].shape == truth["executed"].shape == (4, len(truth["units"]), 2)
        assert truth["landmarks_px"].shape == (4, 68, 2)
        assert truth["landmarks_visible"].shape == (4, 68)
        assert truth["camera"].shape == (3, 4)
        assert truth["head_deg"][2, 0] > 15
        assert (truth["aperture_mm"][2] < 0.3 * truth["aperture_mm"][0]).all()
        assert truth["mouth_mm"][2] > truth["mouth_mm"][0] + 2


def test_another_process_and_order_give_the_same_pixels(rendered, spec, assets, tmp_path):
    still = dataclasses.replace(spec, expression="neutral", frames=1)
    run = render([still, spec], assets, tmp_path)
    assert run.returncode == 0, run.stderr
    again = np.load(tmp_path / "1" / "frames.npy")
    assert np.array_equal(again, np.load(rendered[0] / "0" / "frames.npy"))


def test_own_left_is_the_pictures_right(rendered):
    with np.load(rendered[0] / "0" / "truth.npz") as truth:
        nose = truth["landmarks_px"][:, 30, 0]
    assert nose[2] > nose[0] + 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"size": 7}, "a frame of 7 px"), ({"samples": 0}, "samples must be 1 or more")],
)
def test_impossible_sizes_are_refused(spec, change, sentence):
    with pytest.raises(AvatarError, match=sentence):
        dataclasses.replace(spec, **change).check()


def test_worker_fault_is_its_sentence(spec, assets, tmp_path):
    run = render([dataclasses.replace(spec, expression="FD9")], assets, tmp_path)
    assert run.returncode == 2
    assert run.stderr.strip().splitlines()[-1].startswith("there is no expression 'FD9'")
    assert not list((tmp_path / "0").iterdir())
