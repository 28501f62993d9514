"""Transfer on real networks of tiny use: untrained, but exact and repeatable."""

import shutil
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

import fomm
from fomm.config import CONFIGS
from pipeline.errors import AssetError, RefusedError, StageError
from pipeline.files import read_jsonl, write_jsonl
from pipeline.media.video import frame_rate, read_clip, write_clip
from pipeline.motion import transfer
from pipeline.motion.engine import engine
from pipeline.params import parse_params
from pipeline.records import ClipPlan, Person, TransferPlan
from pipeline.store.store import Store
from pipeline.store.threads import one_thread
from pipeline.workspace import Workspace

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
    """Two driving clips, two portraits, three transfers: (workspace, study, params)."""
    rng = np.random.default_rng(3)
    workspace = Workspace(root=tmp_path)
    clips, portraits = workspace.clips, workspace.portraits
    portraits.mkdir(parents=True)
    for name in ("clip-a", "clip-b"):
        write_clip(clips / f"{name}.mp4", rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8), 8)
    for name in ("face-a", "face-b"):
        iio.imwrite(portraits / f"{name}.png", rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    pairs = [("face-a", "clip-a"), ("face-b", "clip-b"), ("face-b", "clip-a")]
    rows = [
        TransferPlan(clip_id=f"made-{i}", portrait_id=face, driving_clip_id=clip, expression="FD1")
        for i, (face, clip) in enumerate(pairs)
    ]
    rows = [planned("clip-a"), planned("clip-b"), *rows]
    write_jsonl(workspace.plan, [row.row() for row in rows])
    return workspace, None, given(checkpoint)


def given(checkpoint, **transfer):
    """Parameters that name a checkpoint."""
    return parse_params({"motion": {"checkpoint": str(checkpoint)}, "transfer": transfer})


def planned(clip_id):
    return ClipPlan(
        clip_id=clip_id, key=clip_id, person=PERSON, identity={}, expression="FD1", scene={},
        seed=1, frames=3, fps=8, size=64, samples=1,
    )  # fmt: skip


def run(line, root):
    made, store = transfer.jobs(*line), Store(root, "transfer")
    transfer.work(made, store)
    out = Workspace("out", root)
    write_jsonl(out.plan, read_jsonl(line[0].plan))
    transfer.assemble(made, store, out)
    return {path.name: path.read_bytes() for path in out.transferred.iterdir()}


def test_every_planned_clip_is_made_and_repeats(line, tmp_path):
    one, other = run(line, tmp_path / "one"), run(line, tmp_path / "other")
    assert set(one) == {"made-0.mp4", "made-1.mp4", "made-2.mp4"}
    assert one == other


def test_a_clip_is_the_models_animation_by_the_engine_of_this_processor(line, tmp_path):
    run(line, tmp_path)
    workspace, _, params = line
    made = engine(Path(params.motion.checkpoint))
    plain = fomm.load_checkpoint(params.motion.checkpoint, "compact-128")
    pair = iio.imread(workspace.portraits / "face-b.png"), read_clip(workspace.clips / "clip-a.mp4")
    with one_thread():
        frames, others = made.model.animate(*pair), plain.animate(*pair)
    clip = read_clip(Workspace("out", tmp_path).transferred / "made-2.mp4")
    assert np.array_equal(clip, frames)
    off = np.abs(clip.astype(int) - others)  # 1e-4 before rounding: at most one grey
    assert off.max() <= 1
    assert (off > 0).mean() <= 0.01
    log = read_jsonl(tmp_path / "work" / "transfer.log.jsonl")
    [row] = [row for row in log if row["event"] == "engine"]
    assert (row["mode"], row["how"]) == (made.mode, made.how)


def logged(root):
    rows = read_jsonl(root / "work" / "transfer.log.jsonl")
    return [row for row in rows if row["event"] == "transferred"]


def test_a_published_checkpoint_performs_at_its_size_and_is_brought_back(line, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = fomm.MotionModel(CONFIGS["vox-adv-256"])
    parts = {name: getattr(model, name).state_dict() for name in ("generator", "kp_detector")}
    torch.save(parts, tmp_path / "vox-adv-cpk.pth.tar")
    workspace, study, _ = line
    rows = [r for r in read_jsonl(workspace.plan) if r["clip_id"] in ("clip-a", "made-0")]
    write_jsonl(workspace.plan, rows)
    made = run((workspace, study, given(tmp_path / "vox-adv-cpk.pth.tar")), tmp_path)
    assert set(made) == {"made-0.mp4"}
    clip = Workspace("out", tmp_path).transferred / "made-0.mp4"
    assert read_clip(clip).shape == (3, 64, 64, 3)
    assert round(frame_rate(clip)) == 8
    [row] = logged(tmp_path)
    assert "points not checked" in row["check"]["checked"]


def test_what_was_done_with_a_portrait_is_in_the_log(line, tmp_path):
    run(line, tmp_path)
    rows = logged(tmp_path)
    assert {(row["name"], row["portrait"], row["start"]) for row in rows} == {
        ("made-0", "face-a.png", 0), ("made-1", "face-b.png", 0), ("made-2", "face-b.png", 0),
    }  # fmt: skip


def test_jobs_that_share_a_driving_clip_stand_together(line):
    names = [job.name for job in transfer.jobs(*line)]
    assert names == ["made-0", "made-2", "made-1"]


def test_keys_follow_the_inputs(line):
    before = {job.name: job.key for job in transfer.jobs(*line)}
    portrait = line[0].portraits / "face-a.png"
    iio.imwrite(portrait, iio.imread(portrait)[::-1])
    after = {job.name: job.key for job in transfer.jobs(*line)}
    assert {name for name in before if before[name] != after[name]} == {"made-0"}
    absolute = transfer.jobs(*line[:2], given(line[2].motion.checkpoint, relative=False))
    assert not {job.key for job in absolute} & set(after.values())


def test_threads_are_given_back():
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_missing_inputs_are_named(line, tmp_path):
    with pytest.raises(AssetError, match="make motion"):
        transfer.jobs(*line[:2], given(tmp_path / "none"))
    (line[0].clips / "clip-b.mp4").unlink()
    with pytest.raises(StageError, match=r"clip-b\.mp4 is missing"):
        transfer.jobs(*line)


def spoil(path):
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("name", "spoiled", "reason"),
    [
        ("face-a.png", lambda path: iio.imwrite(path, np.zeros((50, 50, 3), np.uint8)), "50 x 50"),
        ("face-a.png", spoil, "cannot be read as a picture"),
        ("clip-b.mp4", spoil, "cannot be read as a video"),
    ],
)
def test_a_bad_portrait_or_driver_is_refused_by_name_and_the_others_are_made(
    line, tmp_path, name, spoiled, reason
):
    workspace = line[0]
    spoiled((workspace.clips if name.startswith("clip") else workspace.portraits) / name)
    jobs, store = transfer.jobs(*line), Store(tmp_path, "transfer")
    with pytest.raises(RefusedError, match=rf"{name}.*{reason}"):
        transfer.work(jobs, store)
    made = {job.name for job in jobs if store.has(job.key)}
    assert made == {"made-0", "made-1", "made-2"} - {"made-0" if "face" in name else "made-1"}


def test_transfers_of_what_was_given_up_are_left_out_and_named(line, tmp_path):
    workspace = line[0]
    lost = {"portrait_id": "face-b", "name": "photo/b", "file": "b.png", "reason": "no face"}
    write_jsonl(workspace.portraits / "failed.jsonl", [lost])
    (workspace.portraits / "face-b.png").unlink()
    jobs, store = transfer.jobs(*line), Store(tmp_path, "transfer")
    assert [job.name for job in jobs] == ["made-0"]
    transfer.work(jobs, store)
    transfer.assemble(jobs, store, workspace)
    reason = "photo/b was given up: no face"
    rows = [{"clip_id": name, "reason": reason} for name in ("made-1", "made-2")]
    assert read_jsonl(workspace.transferred / "failed.jsonl") == rows


def test_a_relative_checkpoint_is_that_of_its_own_folder(line, checkpoint, tmp_path, monkeypatch):
    here, there = line[0].root, tmp_path / "there"
    shutil.copytree(here, there, ignore=shutil.ignore_patterns("there"))
    (here / "model.safetensors").write_bytes(checkpoint.read_bytes())
    (there / "model.safetensors").write_bytes(b"rubbish")
    relative = (Workspace(), None, given("model.safetensors"))
    monkeypatch.chdir(here)
    run(relative, tmp_path / "made")
    monkeypatch.chdir(there)
    with pytest.raises(AssetError, match=r"model\.safetensors"):
        run(relative, tmp_path / "broken")


def test_a_broken_checkpoint_is_named(line, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"rubbish")
    with pytest.raises(AssetError, match=r"broken\.safetensors"):
        run((*line[:2], given(broken)), tmp_path)
