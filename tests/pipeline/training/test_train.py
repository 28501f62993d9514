import shutil
from dataclasses import replace

import pytest

from models import load
from pipeline.errors import StageError
from pipeline.files import read_json, write_jsonl
from pipeline.params import TrainParams
from pipeline.records import Sample
from pipeline.splits.tables import read_samples
from pipeline.store.store import Store
from pipeline.study import Model
from pipeline.training.train import assemble, jobs, train, trials, work
from pipeline.workspace import Workspace

BRIEF = TrainParams(epochs=1, batch=32)


@pytest.fixture
def brief(line):
    """What the stage is given, for trainings of one epoch."""
    return line.workspace, line.study, line.params.model_copy(update={"train": BRIEF})


def changed(brief, **parameters):
    """The same with other parameters of the network."""
    workspace, study, params = brief
    model = Model(parameters={"hidden": 8, "dropout": 0.2} | parameters)
    return workspace, study.model_copy(update={"models": {"convlstm": model}}), params


def trial_of(given, draw):
    return next(trial for trial in trials(*given) if trial.draw == draw)


def test_a_model_and_its_record_are_written(line):
    for draw in ("published", "clean"):
        path = line.workspace.model("display", "convlstm", draw)
        model, record = load(path), read_json(path.with_suffix(".json"))
        assert model.labels == ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
        assert model.window == line.study.input.frames
        assert len(record["curve"]) == line.params.train.epochs
        assert 1 <= record["best_epoch"] <= line.params.train.epochs
        assert (record["task"], record["model"], record["draw"]) == ("display", "convlstm", draw)


def test_windows_are_counted_in_the_record(line):
    path = line.workspace.model("display", "convlstm", "published").with_suffix(".json")
    table = read_samples(line.workspace.training_samples("display", "published"))
    side = [s for s in table if s.side == "train"]
    windows = read_json(path)["windows"]
    originals = sum(s.origin is None for s in side)
    assert windows["originals"] + windows["validation"] == originals
    assert windows["copies"] <= len(side) - originals


def test_every_task_model_and_draw_is_one_training(toy):
    made = trials(toy.workspace, toy.study, toy.params)
    names = {(t.task, t.model, t.draw) for t in made}
    asked = {(t, m, d) for t, m, p in toy.study.trials() for q, d in toy.study.draws() if p == q}
    assert names == asked
    assert len(made) == len(names)
    assert {t.params.epochs for t in made if t.model == "framecnn"} == {1}
    assert {t.task for t in made if t.model == "framecnn"} == {"diagnosis"}


def test_tasks_and_models_share_the_seed_of_their_draw(toy):
    seeds = {}
    for trial in trials(toy.workspace, toy.study, toy.params):
        seeds.setdefault(trial.draw, set()).add(trial.seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len(set().union(*seeds.values())) == len(seeds)


def test_the_stage_trains_each_draw_in_its_own_process_to_the_bytes_of_this_one(brief, tmp_path):
    store = Store(tmp_path / "home", "train")
    made = jobs(*brief)
    work(made, store)
    out = Workspace(brief[0].study, tmp_path)
    assemble(made, store, out)
    folder = out.models / "display" / "convlstm"
    assert sorted(path.name for path in folder.iterdir()) == [
        "clean.json", "clean.safetensors", "published.json", "published.safetensors",
    ]  # fmt: skip
    (tmp_path / "here").mkdir()
    train(trial_of(brief, "clean"), tmp_path / "here")
    for file in ("model.safetensors", "model.json"):
        there = folder / file.replace("model", "clean")
        assert (tmp_path / "here" / file).read_bytes() == there.read_bytes()


def test_keys_change_with_what_decides_the_weights(brief):
    workspace, study, params = brief
    keys = {job.key for job in jobs(*brief)}
    assert len(keys) == 2
    assert keys == {job.key for job in jobs(*brief)}
    unmirrored = study.model_copy(update={"mirror": {}})
    longer = params.model_copy(update={"train": BRIEF.model_copy(update={"epochs": 2})})
    for other in (
        changed(brief, dropout=0.3),
        (workspace, unmirrored, params),
        (workspace, study, longer),
        (workspace, study, params.model_copy(update={"seed": 10})),
        (workspace, study, params.model_copy(update={"training_seed": 10})),
    ):
        assert not keys & {job.key for job in jobs(*other)}


def test_the_seed_of_training_is_the_root_unless_it_is_given(brief):
    workspace, study, params = brief
    rooted = params.model_copy(update={"seed": 10})
    given = params.model_copy(update={"training_seed": 10})
    assert [t.seed for t in trials(workspace, study, rooted)] == [
        t.seed for t in trials(workspace, study, given)
    ]


def test_a_crop_that_changes_changes_the_keys_of_the_trainings_that_see_it(brief, tmp_path):
    workspace, study, params = brief
    copy = Workspace(workspace.study, tmp_path)
    shutil.copytree(workspace.data, copy.data)
    before = {job.key for job in jobs(copy, study, params)}
    assert before == {job.key for job in jobs(*brief)}
    clip = next(copy.faces.glob("*.mp4"))
    clip.write_bytes(clip.read_bytes() + b"more")
    assert not before & {job.key for job in jobs(copy, study, params)}


def test_a_failed_training_says_why_and_leaves_nothing(brief, tmp_path):
    store = Store(tmp_path / "home", "train")
    alone = Sample(
        sample_id="sample-1", clip_id="clip-1", start=0, length=4, label="FD1", group="a",
        side="train",
    )  # fmt: skip
    table = tmp_path / "published.jsonl"
    write_jsonl(table, [alone.row()])
    made = jobs(*brief)[:1]
    made = [replace(made[0], item=replace(made[0].item, table=table, faces=tmp_path))]
    with pytest.raises(
        StageError, match=r"training display convlstm published failed: .*too few to validate"
    ):
        work(made, store)
    assert not store.has(made[0].key)
