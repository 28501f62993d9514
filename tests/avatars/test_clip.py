"""Real Blender renders at tiny size."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatars.clip import ClipSpec, geometry
from avatars.conditions import Condition
from avatars.errors import AvatarError
from avatars.passes import LABELS
from avatars.scene import sample_scene, seen_from
from avatars.worker import parse_spec

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def spec(identity, scene):
    return ClipSpec(identity, "FD3-L", scene, 11, frames=4, fps=2, size=64, samples=4)


@pytest.fixture(scope="session")
def elsewhere(spec):
    """A clip of the same person at rest, in another scene: a worker keeps its studio for it."""
    scene = sample_scene(np.random.default_rng(12))
    return dataclasses.replace(spec, expression="neutral", frames=1, scene=scene)


def render(specs, assets, folder, threads=1):
    clips = []
    for number, spec in enumerate(specs):
        (folder / str(number)).mkdir(parents=True)
        row = dataclasses.asdict(spec)
        clips.append({"spec": row, "out": str(folder / str(number))})
    request = {
        "assets": str(assets.root),
        "threads": threads,
        "core": None,
        "portable": True,
        "clips": clips,
    }
    return subprocess.run(
        [sys.executable, "-m", "avatars.worker"],
        input=json.dumps(request), capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def rendered(spec, elsewhere, assets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    run = render([spec, elsewhere], assets, folder)
    assert run.returncode == 0, run.stderr
    return folder, run.stdout


def test_worker_says_its_device_and_each_finished_clip(rendered):
    lines = rendered[1].splitlines()
    assert lines[0].startswith("portable: ")
    assert lines[1].startswith("render: device ")
    assert [line for line in lines if line.startswith("done")] == ["done 0", "done 1"]


PINNED = """
import os
from avatars.worker import pin
threads = os.listdir("/proc/self/task")
core = min(os.sched_getaffinity(0))
pin(core)
print(len(threads) > 1, all(os.sched_getaffinity(int(t)) == {core} for t in threads))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_worker_leaves_other_cores_alone():
    """The threads that Blender started on import, too: they spin, measured at a core a worker."""
    free = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", PINNED], capture_output=True, text=True, cwd=ROOT, check=True,
        env=free,
    )  # fmt: skip
    assert run.stdout.split() == ["True", "True"]


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


@pytest.fixture(scope="session")
def again(rendered, spec, elsewhere, assets, tmp_path_factory):
    """The same clips in another process and order, with two threads and every pass."""
    folder = tmp_path_factory.mktemp("again")
    both = ("segmentation", "depth")
    every = [dataclasses.replace(clip, passes=both) for clip in (elsewhere, spec)]
    run = render(every, assets, folder, threads=2)
    assert run.returncode == 0, run.stderr
    return folder


def test_another_process_order_and_thread_count_give_the_same_bytes(rendered, again):
    for one, other in (("0", "1"), ("1", "0")):
        first = (rendered[0] / one / "frames.npy").read_bytes()
        assert first == (again / other / "frames.npy").read_bytes()


def test_passes_add_arrays_and_change_no_other(rendered, again):
    with (
        np.load(rendered[0] / "0" / "truth.npz") as plain,
        np.load(again / "1" / "truth.npz") as more,
    ):
        assert set(more) - set(plain) == {"labels", "segmentation", "depth_m"}
        assert all(np.array_equal(plain[name], more[name]) for name in plain)
        assert (more["segmentation"].shape, more["segmentation"].dtype) == ((4, 64, 64), np.uint8)
        assert (more["depth_m"].shape, more["depth_m"].dtype) == ((4, 64, 64), np.float32)
        assert tuple(more["labels"]) == LABELS


def test_geometry_alone_is_the_same_truth(again, spec, assets):
    found = geometry(dataclasses.replace(spec, passes=("segmentation", "depth")), assets)
    with np.load(again / "1" / "truth.npz") as rendered:
        assert set(found) == set(rendered)
        assert all(np.array_equal(found[name], rendered[name]) for name in found)


def test_in_profile_only_the_near_side_is_visible(spec, assets):
    aside = dataclasses.replace(
        spec, scene=seen_from(spec.scene, 90.0, 0.0), expression="neutral", frames=1
    )
    [visible] = geometry(aside, assets)["landmarks_visible"]
    # The own left eye's outer corner and lower lid, the mouth's corner; the eye's inner corner may
    # lie behind the bridge of the nose.
    assert visible[[45, 46, 54]].all()
    assert not visible[[17, 18, 36, 37, 41, 0, 1, 2, 3]].any()  # the own right brow, eye and jaw
    [ahead] = geometry(dataclasses.replace(spec, expression="neutral", frames=1), assets)[
        "landmarks_visible"
    ]
    assert ahead[17:60].mean() > 0.9


def test_segmentation_lies_on_the_rendered_person(again, scene):
    """Where the z-buffer sees gown or skin, Cycles rendered that cloth or skin: edges agree."""
    frames = np.load(again / "0" / "frames.npy")[0].astype(float)
    with np.load(again / "0" / "truth.npz") as truth:
        person = truth["segmentation"][0] > 0
    step = np.abs(np.diff(frames, axis=1)).sum(axis=2)
    outline = person[:, 1:] != person[:, :-1]
    assert step[outline].mean() > 2 * step[~outline].mean()


def test_signs_and_occluders_are_seen_and_leave_no_trace(rendered, elsewhere, assets, tmp_path):
    flushed = dataclasses.replace(elsewhere, signs={"flush": 1.0})
    masked = dataclasses.replace(elsewhere, occluders=("eye_pads",))
    run = render([flushed, elsewhere, masked], assets, tmp_path)
    assert run.returncode == 0, run.stderr
    frames = [np.load(tmp_path / str(n) / "frames.npy")[0].astype(float) for n in range(3)]
    before = np.load(rendered[0] / "1" / "frames.npy")[0]
    assert np.array_equal(before, frames[1])
    with np.load(tmp_path / "0" / "truth.npz") as truth:
        assert dict(zip(truth["signs"], truth["sign_values"], strict=True))["flush"] == 1
        assert truth["landmarks_visible"][0, 36:48].all()
        eyes = truth["landmarks_px"][0, 36:48].astype(int)
        cheek = truth["landmarks_px"][0, [31, 35, 48, 54]].astype(int)
    red, plain = (frame[cheek[:, 1], cheek[:, 0]] for frame in frames[:2])
    assert (red[:, 1] / red[:, 0]).mean() < 0.97 * (plain[:, 1] / plain[:, 0]).mean()
    padded, open_eyes = (frame[eyes[:, 1], eyes[:, 0]].mean() for frame in frames[2:0:-1])
    assert padded > open_eyes + 10
    with np.load(tmp_path / "2" / "truth.npz") as truth:
        assert list(truth["occluders"]) == ["eye_pads"]
        assert not truth["landmarks_visible"][0, 36:48].any()


def test_own_left_is_the_pictures_right(rendered):
    with np.load(rendered[0] / "0" / "truth.npz") as truth:
        nose = truth["landmarks_px"][:, 30, 0]
    assert nose[2] > nose[0] + 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": 7}, "a frame of 7 px"),
        ({"samples": 0}, "samples must be 1 or more"),
        ({"fps": 0}, "at least 1 frame a second, got 0"),
        ({"stills": ({"12": [1, 1]},)}, "1 stills do not make 4 frames"),
        ({"passes": ("albedo",)}, "no pass 'albedo'"),
        ({"conditions": (Condition("gout", 0.5),)}, "no condition 'gout'"),
        ({"conditions": (Condition("palsy", 1.5),)}, r"severity 1\.5"),
    ],
)
def test_impossible_clips_are_refused(spec, change, sentence):
    with pytest.raises(AvatarError, match=sentence):
        dataclasses.replace(spec, **change).check()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"colour": "red"}, r"unknown fields: \['colour'\]"),
        ({"scene": {"camera": {}}}, r"Scene row has wrong fields: \['ambient'"),
        ({"conditions": [{"kind": "palsy"}]}, r"condition row .* \['severity'\]"),
    ],
)
def test_row_with_wrong_fields_is_refused(spec, change, sentence):
    with pytest.raises(AvatarError, match=sentence):
        parse_spec({**dataclasses.asdict(spec), **change})


def test_row_without_a_field_is_refused(spec):
    row = dataclasses.asdict(spec)
    del row["seed"]
    with pytest.raises(AvatarError, match=r"missing or unknown fields: \['seed'\]"):
        parse_spec(row)


def test_worker_fault_is_its_sentence(spec, assets, tmp_path):
    run = render([dataclasses.replace(spec, expression="FD9")], assets, tmp_path)
    assert run.returncode == 2
    assert run.stderr.strip().splitlines()[-1].startswith("there is no expression 'FD9'")
    assert not list((tmp_path / "0").iterdir())
