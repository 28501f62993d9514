"""Transfer on real networks of tiny use: untrained, but exact and repeatable."""

import imageio.v3 as iio
import numpy as np
import pytest
import torch

import fomm
from fomm.config import CONFIGS
from pipeline.corpus.planned import Plan
from pipeline.errors import AssetError, StageError
from pipeline.media.video import read_clip, write_clip
from pipeline.motion import transfer
from pipeline.params import TransferParams
from pipeline.records import ClipPlan, Person, TransferPlan
from pipeline.store.store import Store

PERSON = Person(identity_id="person-1", age=None, sex=None, ethnicity=None)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = fomm.MotionModel(CONFIGS["compact-128"]).eval()
    path = tmp_path_factory.mktemp("motion") / "model.safetensors"
    fomm.save_checkpoint(path, model)
    return path


@pytest.fixture
def line(tmp_path, checkpoint):
    """Two driving clips, two portraits, three transfers: (plan, clips, portraits, checkpoint)."""
    rng = np.random.default_rng(3)
    clips, portraits = tmp_path / "clips", tmp_path / "portraits"
    portraits.mkdir()
    for name in ("clip-a", "clip-b"):
        write_clip(clips / f"{name}.mp4", rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8), 8)
    for name in ("face-a", "face-b"):
        iio.imwrite(portraits / f"{name}.png", rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    pairs = [("face-a", "clip-a"), ("face-b", "clip-b"), ("face-b", "clip-a")]
    rows = [
        TransferPlan(clip_id=f"made-{i}", portrait_id=face, driving_clip_id=clip, expression="FD1")
        for i, (face, clip) in enumerate(pairs)
    ]
    return Plan([planned("clip-a"), planned("clip-b")], [], rows), clips, portraits, checkpoint


def planned(clip_id):
    return ClipPlan(
        clip_id=clip_id, key=clip_id, person=PERSON, identity={}, expression="FD1", scene={},
        seed=1, frames=3, fps=8, size=64, samples=1,
    )  # fmt: skip


def run(line, root, params=None):
    made, store = transfer.jobs(*line, params or TransferParams()), Store(root, "transfer")
    transfer.work(made, store)
    transfer.assemble(made, store, root / "out")
    return {path.name: path.read_bytes() for path in (root / "out").iterdir()}


def test_every_planned_clip_is_made_and_repeats(line, tmp_path):
    one, other = run(line, tmp_path / "one"), run(line, tmp_path / "other")
    assert set(one) == {"made-0.mp4", "made-1.mp4", "made-2.mp4"}
    assert one == other


def test_a_clip_is_the_models_animation(line, tmp_path):
    run(line, tmp_path)
    _, clips, portraits, checkpoint = line
    model = fomm.load_checkpoint(checkpoint, "compact-128")
    driving = read_clip(clips / "clip-a.mp4")
    with transfer.one_thread():
        frames = model.animate(iio.imread(portraits / "face-b.png"), driving)
    assert np.array_equal(read_clip(tmp_path / "out" / "made-2.mp4"), frames)


def test_jobs_that_share_a_driving_clip_stand_together(line):
    names = [job.name for job in transfer.jobs(*line, TransferParams())]
    assert names == ["made-0", "made-2", "made-1"]


def test_keys_follow_the_inputs(line):
    before = {job.name: job.key for job in transfer.jobs(*line, TransferParams())}
    portrait = line[2] / "face-a.png"
    iio.imwrite(portrait, iio.imread(portrait)[::-1])
    after = {job.name: job.key for job in transfer.jobs(*line, TransferParams())}
    assert {name for name in before if before[name] != after[name]} == {"made-0"}
    absolute = transfer.jobs(*line, TransferParams(relative=False))
    assert not {job.key for job in absolute} & set(after.values())


def test_threads_are_given_back():
    torch.set_num_threads(2)
    with transfer.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_missing_inputs_are_named(line, tmp_path):
    plan, clips, portraits, _ = line
    with pytest.raises(AssetError, match="make motion"):
        transfer.jobs(plan, clips, portraits, tmp_path / "none", TransferParams())
    (clips / "clip-b.mp4").unlink()
    with pytest.raises(StageError, match=r"clip-b\.mp4 is missing"):
        transfer.jobs(*line, TransferParams())


def test_a_portrait_of_unfit_size_is_named(line, tmp_path):
    iio.imwrite(line[2] / "face-a.png", np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(StageError, match=r"face-a\.png cannot perform clip-a\.mp4: .*50 x 50"):
        run(line, tmp_path)
    assert not list(tmp_path.glob("work/transfer/*/*"))


def test_a_broken_checkpoint_is_named(line, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"rubbish")
    with pytest.raises(AssetError, match=r"broken\.safetensors"):
        run((*line[:3], broken), tmp_path)
