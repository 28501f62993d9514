"""The training driver: what it writes, and whom it holds out."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import fomm
from fomm.data import Performances
from fomm.initial import take_over
from pipeline.errors import StageError
from pipeline.files import file_digest
from pipeline.media.video import write_clip
from pipeline.motion import training
from pipeline.motion.grid import training_clips
from pipeline.motion.training import FIRST, HELD_OUT, train_motion
from pipeline.params import MotionParams, load_params, parse_params
from pipeline.store.store import Store
from pipeline.workspace import Workspace

BRIEF = MotionParams(steps=2, batch=2, warm=False)


@pytest.fixture
def grid():
    """Six people, one motion of two frames: noise, as only the files matter here."""
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (6, 1, 2, 64, 64, 3), dtype=np.uint8)
    return Performances(frames, rng.uniform(8, 56, (6, 1, 2, 68, 2)).astype(np.float32))


@pytest.fixture(autouse=True)
def _settings_again():
    yield
    torch.use_deterministic_algorithms(False)


def test_the_checkpoint_loads_and_the_record_tells(grid, tmp_path):
    said = []
    record = train_motion(grid, BRIEF, 5, tmp_path, say=said.append)
    model = fomm.load_checkpoint(tmp_path / "blend-128.safetensors", "blend-128")
    assert model.animate(grid.frames[0, 0, 0], grid.frames[1, 0]).shape == (2, 64, 64, 3)
    assert (tmp_path / "blend-128.safetensors").stat().st_size <= 20e6
    assert json.loads((tmp_path / "record.json").read_text()) == record
    assert record["people"] == {"trained on": 2, "held out": HELD_OUT}
    assert set(record["held_out"]["psnr_db"]) == {"static", "absolute", "relative"}
    assert any("steps/s" in line for line in said)


def test_a_training_goes_on_from_the_first(grid, tmp_path):
    warm = BRIEF.model_copy(update={"warm": True, "learning_rate": 1e-12})
    record = train_motion(grid, warm, 5, tmp_path, say=lambda line: None)
    first, model = (
        fomm.load_checkpoint(path, "blend-128")
        for path in (FIRST, tmp_path / "blend-128.safetensors")
    )
    assert record["steps"] == {"points": 0, "flow": 2, "picture": 0, "whole": 2}
    assert record["start"]["sha256"] == file_digest(FIRST)
    assert record["start"]["record"]["model"] == "blend-128"
    for one, other in zip(first.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_a_gpu_that_is_not_there_is_told(grid, tmp_path):
    asked = BRIEF.model_copy(update={"device": "cuda"})
    with pytest.raises(StageError, match=r"motion\.device is cuda, but torch .* sees no GPU"):
        train_motion(grid, asked, 5, tmp_path)


def test_the_larger_network_has_files_of_its_own_and_begins_with_the_smaller_ones_motion():
    larger = BRIEF.model_copy(update={"network": "blend-256", "warm": True})
    out = Path("x")
    assert training._files(larger, out) == (out / "blend-256.safetensors", out / "blend-256.json")
    assert training._files(BRIEF, out) == (out / "blend-128.safetensors", out / "record.json")
    assert training._start(larger) == training.SMALL
    config = training._config(larger.model_copy(update={"steps": 100}), bf16=False)
    assert config.phases() == {"points": 0, "flow": 80, "picture": 25, "whole": 100}
    model = fomm.MotionModel(config.model)
    take_over(model, fomm.load_checkpoint(training.SMALL, "auto"))
    size = sum(p.numel() for p in model.state_dict().values()) * 4
    assert (config.model.size, size <= 30e6) == (256, True)


def test_a_grid_of_the_larger_network_is_rendered_at_its_size():
    params = parse_params({"motion": {"network": "blend-256", "identities": 6}})
    assert {clip.size for clip in training_clips(params)} == {256}


def test_too_few_people(grid, tmp_path):
    with pytest.raises(StageError, match="5 people are too few"):
        train_motion(grid.people(slice(5)), BRIEF, 5, tmp_path)


def test_the_stage_renders_the_grid_and_trains_in_its_folder(monkeypatch, tmp_path, passes):
    (tmp_path / "params.yaml").write_text("motion: {identities: 6, performances: 1, steps: 1}\n")
    workspace, store = Workspace(root=tmp_path), Store(tmp_path / ".pallor", "motion")
    params = load_params(workspace.params)
    asked = training.jobs(workspace, None, params)
    names = [f"motion/{person}/0" for person in range(6)]
    assert [job.name for job in asked] == [*names, *(f"passes of {name}" for name in names)]
    for job in asked:
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", np.zeros((2, 32, 32, 3), np.uint8), 1)
            np.savez(folder / "passes.npz", **passes(0))
    given = []
    monkeypatch.setattr(training, "train_motion", lambda *arguments: given.extend(arguments))
    training.assemble(asked, store, workspace)
    data, motion, seed, out, state = given
    assert (data.frames.shape, data.landmarks.shape) == ((6, 1, 2, 32, 32, 3), (6, 1, 2, 68, 2))
    assert len(data.surfaces.cells) == 12
    assert (motion, seed) == (params.motion, params.seed)
    assert out == tmp_path / "checkpoints/motion"
    assert state == tmp_path / ".pallor/work/motion-training.pt"
