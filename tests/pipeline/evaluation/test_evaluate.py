import shutil

import pytest
import torch

from pipeline.errors import StageError
from pipeline.evaluation import evaluate
from pipeline.evaluation.results import Results
from pipeline.files import file_digest, read_jsonl, write_jsonl
from pipeline.splits.tables import read_samples, read_tracks
from pipeline.store.threads import threads
from pipeline.workspace import Workspace

FIGURES = ("accuracy", "precision", "recall", "f1", "auc")
BREAKDOWNS = ("by_label", "by_kind", "by_age", "by_sex", "by_ethnicity", "by_skin_tone")


@pytest.fixture
def results(line):
    return Results.read(line.workspace.evaluation)


def units(row):
    return [unit for unit in ("window", "clip", "person") if f"by_{unit}" in row]


def test_each_protocol_answers_in_its_unit(results):
    rows = {row["protocol"]: row for row in results.rows}
    assert (rows["published"]["unit"], rows["published"]["leaky"]) == ("window", True)
    assert (rows["clean"]["unit"], rows["clean"]["leaky"]) == ("clip", False)
    for row in rows.values():
        assert units(row) == ["window", "clip"]
        assert results.headline(row) == row[f"by_{row['unit']}"]


@pytest.mark.parametrize("name", ["line", "toy"])
def test_each_figure_lies_inside_its_interval(name, request):
    made = request.getfixturevalue(name)
    results = Results.read(made.workspace.evaluation)
    trials = [(row["task"], row["model"], row["protocol"]) for row in results.rows]
    assert trials == made.study.trials()
    for row in results.rows:
        for unit in units(row):
            figures = row[f"by_{unit}"]
            binary = row["labels"] == ["negative", "positive"]
            two = ("sensitivity", "specificity") if binary else ()
            for figure in (*FIGURES, *two):
                low, high = figures[f"{figure}_ci95"]
                assert 0 <= low <= figures[figure] <= high <= 1, (row["task"], unit, figure)


def test_the_test_side_is_counted_whole(line, results):
    for row in results.rows:
        table = read_samples(line.workspace.samples(row["protocol"]))
        tested = [s for s in table if s.side == "test"]
        assert row["by_window"]["n_test"] == len(tested)
        assert row["by_clip"]["n_test"] == len({s.clip_id for s in tested})
        figures = results.headline(row)
        for name in BREAKDOWNS:
            assert sum(part["n"] for part in figures[name].values()) == figures["n_test"]
            right = sum(part["n"] * part["accuracy"] for part in figures[name].values())
            assert right / figures["n_test"] == pytest.approx(figures["accuracy"], abs=1e-5)


def test_every_group_has_its_interval_and_counts_who_is_seen(line, results):
    tracks = {track.clip_id: track for track in read_tracks(line.workspace.faces)}
    for row in results.rows:
        said = read_jsonl(line.workspace.answers("display", "convlstm", row["protocol"]))
        seen = {tracks[answer["clip_id"]].person.identity_id for answer in said}
        for name in BREAKDOWNS:
            for part in row["by_clip"][name].values():
                low, high = part["accuracy_ci95"]
                assert low <= part["accuracy"] <= high
                assert 0 < part["n_people"] <= part["n"]
        counted = sum(part["n_people"] for part in row["by_clip"]["by_sex"].values())
        assert counted == len(seen)


def test_puppets_are_told_apart(results):
    rows = {row["protocol"]: results.headline(row) for row in results.rows}
    assert rows["published"]["accuracy"] >= 0.9
    assert rows["clean"]["accuracy"] >= 0.8


def test_predictions_give_the_accuracy(line, results):
    for row in results.rows:
        path = line.workspace.answers("display", "convlstm", row["protocol"])
        said = read_jsonl(path)
        right = [answer["predicted"] == answer["label"] for answer in said]
        assert row["by_window"]["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-6)
        assert all(sum(a["probabilities"].values()) == pytest.approx(1, abs=1e-4) for a in said)


def test_what_holds_no_display_does_not_tell_it(results):
    probes = results.probes("display", "clean")
    assert {"identity", "background", "first_frame"} <= set(probes)
    for name in ("identity", "background", "first_frame"):
        row = probes[name]
        assert row["chance"] == pytest.approx(0.2)
        assert row["accuracy"] < 0.4
        assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]


def test_confidence_is_measured_over_all_windows(results):
    for row in results.rows:
        calibration = row["calibration"]
        assert sum(part["n"] for part in calibration["bins"]) == row["by_window"]["n_test"]
        assert 0 <= calibration["ece"] <= 1
        assert calibration["temperature"] > 0


def test_corruptions_are_judged_on_every_clip_where_nobody_is_known(results):
    rows = {row["protocol"]: row for row in results.rows}
    assert rows["published"]["corruption"] is None
    made = [row for part in rows["clean"]["corruption"].values() for row in part["rows"]]
    assert len(made) == 10
    for row in made:
        assert row["n"] == rows["clean"]["by_clip"]["n_test"]
        assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]


def test_folds_test_every_clip_once_though_they_are_repeated(toy):
    results = Results.read(toy.workspace.evaluation)
    learnt = {t.clip_id for t in read_tracks(toy.workspace.faces) if t.trained}
    for task, model in {(task, model) for task, model, _ in toy.study.trials()}:
        row = results.row(task, model, "folds")
        tested = {}
        for draw in toy.study.protocols["folds"].draws("folds"):
            for said in read_jsonl(toy.workspace.answers(task, model, draw)):
                tested.setdefault(said["clip_id"], set()).add(draw)
        assert {len(draws) for clip, draws in tested.items() if clip in learnt} == {2}
        assert row["by_clip"]["n_test"] == len(tested.keys() & learnt)


def test_figures_by_person_join_a_persons_clips_of_one_class(toy):
    row = Results.read(toy.workspace.evaluation).row("severity", "convlstm", "folds")
    assert units(row) == ["window", "clip", "person"]
    assert row["by_person"]["n_test"] <= row["by_clip"]["n_test"]
    assert row["labels"] == ["mild", "severe"]


def test_what_is_only_asked_about_is_called_by_known_names_and_counts_in_no_figure(toy):
    results = Results.read(toy.workspace.evaluation)
    odd = [t for t in read_tracks(toy.workspace.faces) if not t.trained]
    row = results.row("diagnosis", "convlstm", "unseen")
    assert set(row["asked_only"]) == {"odd"}
    called = row["asked_only"]["odd"]
    assert called["n"] == len(odd)
    assert set(called["called"]) == set(row["labels"])
    assert sum(called["called"].values()) == pytest.approx(1, abs=1e-5)
    assert "odd" not in row["by_clip"]["by_label"]
    assert results.row("severity", "convlstm", "unseen")["asked_only"] == {}


def test_judging_again_gives_the_same_bytes(line, tmp_path):
    again = copied(line, tmp_path)
    for made in (again.predictions, again.metrics, again.plots):
        shutil.rmtree(made, ignore_errors=True)
    evaluate.make(again, line.study, line.params)
    first = line.workspace
    pairs = [(first.evaluation, again.evaluation)]
    for folder, other in ((first.plots, again.plots), (first.predictions, again.predictions)):
        files = [path for path in folder.rglob("*") if path.is_file()]
        pairs += [(path, other / path.relative_to(folder)) for path in files]
    # evaluation.json, a picture each of four kinds, the predictions of both draws
    assert len(pairs) == 7
    assert all(file_digest(one) == file_digest(other) for one, other in pairs)


def test_judging_takes_as_many_threads_on_every_machine(line, tmp_path, monkeypatch):
    taken, real = [], evaluate.answer

    def spy(*given):
        taken.append(torch.get_num_threads())
        return real(*given)

    monkeypatch.setattr(evaluate, "answer", spy)
    with threads(3):
        evaluate.make(copied(line, tmp_path), line.study, line.params)
        assert torch.get_num_threads() == 3
    assert set(taken) == {evaluate.THREADS}


def test_an_unseen_class_is_refused(line, tmp_path):
    workspace = copied(line, tmp_path)
    for draw in ("published", "clean"):
        rows = [s.model_copy(update={"label": "smiling"}) if s.label == "FD1" else s
                for s in read_samples(workspace.samples(draw))]  # fmt: skip
        write_jsonl(workspace.samples(draw), [row.row() for row in rows])
    with pytest.raises(StageError, match="smiling, which the training side never showed"):
        evaluate.make(workspace, line.study, line.params)


def copied(line, root):
    shutil.copytree(line.workspace.data, root / "data" / line.study.name)
    return Workspace(line.study.name, root)
