"""The stage with a real Blender worker and a real work store."""

import numpy as np
import pytest

from pipeline.corpus import render
from pipeline.corpus.plan import plan_clip, population
from pipeline.errors import AssetError, ClipError
from pipeline.files import write_jsonl
from pipeline.media.video import read_clip
from pipeline.motion import portraits
from pipeline.params import Params
from pipeline.records import PortraitPlan
from pipeline.store.store import Job, Store
from pipeline.workspace import Workspace


@pytest.fixture(scope="module")
def params():
    base = Params()
    plan = base.plan.model_copy(update={"size": 64, "fps": 2})
    return base.model_copy(
        update={"plan": plan, "render": base.render.model_copy(update={"samples": 2})}
    )


def clip(params, name="FD1", number=0):
    person = population(params, "corpus", number)
    return plan_clip(params, person, f"{number}/{name}", name, frames=4)


@pytest.fixture(scope="module")
def store(assets, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "assets").symlink_to(assets.root)
    return Store(home, "render")


@pytest.fixture(scope="module")
def rendered(params, store):
    jobs = render.clip_jobs([clip(params), clip(params, "FD2-L")])
    render.work(jobs, store)
    return jobs


def test_clips_and_truth_are_assembled_under_their_ids(rendered, store, tmp_path):
    workspace = Workspace(root=tmp_path)
    render.assemble(rendered, store, workspace)
    for job in rendered:
        frames = read_clip(workspace.clips / f"{job.item.clip_id}.mp4")
        truth = render.read_truth(workspace.clips / f"{job.item.clip_id}.npz")
        assert frames.shape == (4, 64, 64, 3)
        assert truth["landmarks_px"].shape == (4, 68, 2)


def test_the_planned_clips_are_the_jobs(rendered, params, tmp_path):
    workspace = Workspace(root=tmp_path)
    write_jsonl(workspace.plan, [job.item.row() for job in rendered])
    assert render.jobs(workspace, None, params) == rendered


def test_each_clip_is_logged_by_name(rendered, store):
    names = [row["name"] for row in store.read_log() if row["event"] == "rendered"]
    assert names == ["0/FD1", "0/FD2-L"]


def test_key_knows_every_part_of_the_specification(params):
    base = render.clip_jobs([clip(params)])[0].key
    for change in ({"seed": 1}, {"samples": 3}, {"expression": "FD3-L"}, {"fps": 3}):
        changed = clip(params).model_copy(update=change)
        assert render.clip_jobs([changed])[0].key != base
    renamed = clip(params).model_copy(update={"key": "other"})
    assert render.clip_jobs([renamed])[0].key == base


def test_passes_are_items_of_their_own_and_stand_in_the_clips_truth(
    rendered, params, store, tmp_path
):
    first, second = (job.item for job in rendered)
    asked = second.model_copy(update={"passes": ["segmentation", "flow"]})
    workspace = Workspace(root=tmp_path)
    write_jsonl(workspace.plan, [first.row(), asked.row()])
    jobs = render.jobs(workspace, None, params)
    assert jobs[:2] == [rendered[0], Job(rendered[1].key, rendered[1].name, asked)]
    render.work(jobs[2:], store)
    render.assemble(jobs, store, workspace)
    plain, more = (
        render.read_truth(workspace.clips / f"{clip.clip_id}.npz") for clip in (first, asked)
    )
    assert set(more) - set(plain) == {
        "labels", "segmentation", "flow_forward", "flow_forward_visible", "flow_backward",
        "flow_backward_visible",
    }  # fmt: skip
    assert more["segmentation"].shape == (4, 64, 64)
    bare = render.read_truth(store.path(jobs[1].key) / "clip.npz")
    assert all(np.array_equal(bare[name], more[name]) for name in bare)
    events = [row["event"] for row in store.read_log() if row.get("clip") == asked.clip_id]
    assert events == ["rendered", "measured"]


def test_a_clip_whose_passes_were_given_up_is_given_up(rendered, store, tmp_path):
    clip = rendered[0].item.model_copy(update={"passes": ["depth"]})
    [job] = render.pass_jobs([clip])
    workspace = Workspace(root=tmp_path)
    store.given_up[job.key] = "too little memory"
    render.assemble([*rendered, job], store, workspace)
    store.given_up.clear()
    names = {path.name for path in workspace.clips.iterdir()}
    other = rendered[1].item.clip_id
    assert names == {"failed.jsonl", f"{other}.mp4", f"{other}.npz"}


def test_portrait_stills_are_rendered(params, store, tmp_path):
    still = plan_clip(params, population(params, "portraits", 1), "portrait/1", "neutral", 1)
    portrait = PortraitPlan(
        portrait_id="portrait-x", key="portrait/1", person=still.person, licence="CC0-1.0",
        consent="-", origin="-", file=None, clip=still,
    )  # fmt: skip
    workspace = Workspace(root=tmp_path)
    write_jsonl(workspace.plan, [portrait.row()])
    jobs = portraits.jobs(workspace, None, params)
    portraits.work(jobs, store)
    portraits.assemble(jobs, store, workspace)
    assert {p.name for p in workspace.portraits.iterdir()} == {
        "portrait-x.png", "portraits.jsonl",
    }  # fmt: skip


def test_worker_fault_becomes_one_sentence(params, store):
    broken = clip(params).model_copy(update={"expression": "FD9"})
    with pytest.raises(ClipError, match="a Blender worker failed: there is no expression 'FD9'"):
        render.work(render.clip_jobs([broken]), store)


def test_missing_assets_are_one_sentence(params, tmp_path):
    with pytest.raises(AssetError, match="run `pallor assets`"):
        render.work(render.clip_jobs([clip(params)]), Store(tmp_path, "render"))


def test_broken_truth_file_is_named(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK broken")
    with pytest.raises(ClipError, match=r"x\.npz is no readable truth file"):
        render.read_truth(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", units=np.array(["4"]))
    assert list(render.read_truth(tmp_path / "y.npz")) == ["units"]
