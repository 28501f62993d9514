import json
from dataclasses import replace

import pytest

from pipeline.errors import StageError
from pipeline.evaluation.fold import Fold, ask, thinned
from pipeline.evaluation.folds import assemble, jobs, work
from pipeline.evaluation.record import single_run
from pipeline.files import read_json
from pipeline.params import EvaluateParams, TrainParams
from pipeline.report.record import doubt_of, in_range, record_lines, said_with
from pipeline.splits.tables import read_tracks
from pipeline.store.store import Store
from pipeline.study import Folds
from pipeline.workspace import Workspace

ASK = Folds(folds=2, seeds=2, networks=["cnnlstm"], stride=2, train={"epochs": 1}, whole=1)


def given(line, folds=ASK):
    quick = {"train": TrainParams(epochs=1), "evaluate": EvaluateParams(bootstrap=100)}
    study = line.study.model_copy(update={"folds": folds})
    return line.workspace, study, line.params.model_copy(update=quick)


@pytest.fixture(scope="module")
def made(line, tmp_path_factory):
    """The jobs, and a workspace with the line's crops and the record of its folds."""
    root = tmp_path_factory.mktemp("folds")
    store, found = Store(root / "home", "folds"), jobs(*given(line))
    alone = next(job for job in found if not job.item.fold.plain)
    work([alone], store)  # one in a process of its own, the others here: the same function
    for job in (job for job in found if job is not alone):
        with store.making(job.key) as folder:
            fold = replace(job.item.fold, plain=False)  # puppets have no landmarks
            (folder / "said.json").write_text(json.dumps(ask(fold), sort_keys=True))
    workspace = Workspace(line.workspace.study, root)
    workspace.data.mkdir(parents=True)
    workspace.faces.symlink_to(line.workspace.faces.resolve())
    assemble(found, store, workspace)
    return found, workspace


def test_every_clip_is_answered_for_once_a_seed(made, line):
    _, workspace = made
    record = read_json(workspace.folds)
    clips = {track.clip_id for track in read_tracks(line.workspace.faces)}
    assert record["first"] == "convlstm"  # the study's, though another comes first by name
    assert list(record["models"]) == ["cnnlstm", "convlstm"]
    row = record["models"]["convlstm"]
    assert (row["n_test"], len(row["seeds"])) == (len(clips), 2)
    assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]
    assert row["accuracy"] == pytest.approx(sum(row["seeds"]) / 2, abs=1e-5)
    assert sum(part["n"] for part in row["by_kind"].values()) == len(clips)
    assert sum(record["doubt"]["sizes"]) == 2 * len(clips)
    assert [row["fold"] for row in record["cheap"]] == [1]


def test_nobody_of_a_fold_is_learnt_from(made):
    for job in made[0]:
        sides = {side: {s.group for s in job.item.fold.table if s.side == side}
                 for side in ("train", "test")}  # fmt: skip
        assert not sides["train"] & sides["test"]


def test_a_fold_goes_through_json_as_it_is(made):
    fold = made[0][0].item.fold
    assert Fold.read(json.loads(json.dumps(fold.request()))) == fold
    starts = {s.start % 2 for s in thinned(fold.table, 2) if s.side == "train"}
    assert starts == {0}


def test_keys_follow_the_seed_and_the_recipe(made, line):
    keys = {job.key for job in made[0]}
    assert len(keys) == len(made[0])
    assert keys == {job.key for job in jobs(*given(line))}
    other = ASK.model_copy(update={"stride": 1, "train": {"epochs": 2}, "whole": 0})
    assert not keys & {job.key for job in jobs(*given(line, other))}


def test_a_study_without_folds_has_no_figure(line, tmp_path):
    assert jobs(*given(line, None)) == []
    workspace = Workspace("some", tmp_path)
    assemble([], Store(tmp_path, "folds"), workspace)
    assert "not measured" in record_lines(workspace)[0]
    with pytest.raises(StageError, match="too few for 99 folds"):
        jobs(*given(line, ASK.model_copy(update={"folds": 99})))


def test_the_range_holds_what_groups_and_seeds_can_give():
    groups = {f"c{n}": str(n // 4) for n in range(80)}
    table = {seed: {clip: int(group) % 4 > 0 for clip, group in groups.items()} for seed in (0, 1)}
    run = single_run(table, groups, 0)
    assert run["low"] < 0.75 < run["high"] == 1
    assert (run["n_test"], run["groups"]) == (12, 20)
    assert in_range({"single_run": run}, 0.75)
    assert not in_range({"single_run": run}, run["low"] - 0.01)


def test_the_record_is_told_and_the_clean_models_answers_have_doubt(made, line):
    _, workspace = made
    said = "\n".join(record_lines(workspace))
    assert "in 2 folds of whole groups" in said
    assert "whole recipe" in said
    clean = workspace.model("display", "convlstm", "clean")
    assert doubt_of(workspace, line.study, clean) is not None
    assert doubt_of(workspace, line.study, clean.with_name("published.safetensors")) is None
    assert "not measured" in said_with(None, {"a": 1.0})
