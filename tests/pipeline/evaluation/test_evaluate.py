import pytest

from models import load
from pipeline.errors import StageError
from pipeline.evaluation.evaluate import evaluate_models, judge
from pipeline.files import file_digest, read_json, read_jsonl
from pipeline.records import PROTOCOLS
from pipeline.training.train import read_samples


@pytest.fixture
def evaluation(line):
    return read_json(line.inputs.metrics / "evaluation.json")


def test_each_protocol_answers_in_its_unit(evaluation):
    assert evaluation["published"]["unit"] == "window"
    assert evaluation["clean"]["unit"] == "clip"
    for protocol, unit in (("published", "window"), ("clean", "clip")):
        figures = evaluation[protocol]
        own = figures[f"by_{unit}"]
        assert {name: figures[name] for name in own} == own


def test_the_figures_of_the_contract_are_there(evaluation):
    for protocol in PROTOCOLS:
        figures = evaluation[protocol]
        low, high = figures["accuracy_ci95"]
        assert 0 <= low <= figures["accuracy"] <= high <= 1
        assert {"precision", "recall", "f1", "auc", "n_test", "confusion"} <= set(figures)


def test_the_test_side_is_counted_whole(line, evaluation):
    for protocol in PROTOCOLS:
        figures = evaluation[protocol]
        tested = [s for s in read_samples(line.split / f"{protocol}.jsonl") if s.side == "test"]
        assert figures["by_window"]["n_test"] == len(tested)
        assert figures["by_clip"]["n_test"] == len({s.clip_id for s in tested})
        for name in ("by_kind", "by_age", "by_sex", "by_ethnicity", "by_skin_tone"):
            assert sum(row["n"] for row in figures[name].values()) == figures["n_test"]
            right = sum(row["n"] * row["accuracy"] for row in figures[name].values())
            assert right / figures["n_test"] == pytest.approx(figures["accuracy"], abs=1e-5)


def test_puppets_are_told_apart(evaluation):
    assert evaluation["published"]["accuracy"] >= 0.9
    assert evaluation["clean"]["accuracy"] >= 0.8


def test_predictions_give_the_accuracy(line, evaluation):
    for protocol in PROTOCOLS:
        figures = evaluation[protocol]
        rows = read_jsonl(line.predictions / f"{protocol}.jsonl")
        right = [row["predicted"] == row["label"] for row in rows]
        assert figures["by_window"]["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-6)
        assert all(sum(r["probabilities"].values()) == pytest.approx(1, abs=1e-4) for r in rows)


def test_what_holds_no_display_does_not_tell_it(evaluation):
    probes = evaluation["probes"]["clean"]
    assert set(probes) == {"identity", "background", "first_frame"}
    for row in probes.values():
        assert row["chance"] == pytest.approx(0.2)
        assert row["accuracy"] < 0.4
        assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]


def test_confidence_is_measured_over_all_windows(evaluation):
    for protocol in PROTOCOLS:
        row = evaluation[protocol]["calibration"]
        assert sum(bin_["n"] for bin_ in row["bins"]) == evaluation[protocol]["by_window"]["n_test"]
        assert 0 <= row["ece"] <= 1
        assert row["temperature"] > 0


def test_every_harm_is_judged_on_every_clean_clip(evaluation):
    rows = [row for harm in evaluation["robustness"].values() for row in harm["rows"]]
    assert len(rows) == 10
    for row in rows:
        assert row["n"] == evaluation["clean"]["by_clip"]["n_test"]
        assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]


def test_judging_again_gives_the_same_bytes(line, tmp_path):
    inputs = line.inputs
    evaluate_models(
        inputs.models, line.split, inputs.faces, tmp_path / "predictions",
        tmp_path / "evaluation.json", tmp_path / "plots", line.params.evaluate, 4,
    )  # fmt: skip
    pairs = [(inputs.metrics / "evaluation.json", tmp_path / "evaluation.json")]
    pairs += [(path, tmp_path / "plots" / path.name) for path in inputs.plots.iterdir()]
    pairs += [(path, tmp_path / "predictions" / path.name) for path in line.predictions.iterdir()]
    assert len(pairs) == 8
    assert all(file_digest(one) == file_digest(other) for one, other in pairs)


def test_nothing_to_test_is_refused(line):
    model = load(line.inputs.models / "clean.safetensors")
    with pytest.raises(StageError, match="test side is empty"):
        judge(model, [], {})


def test_an_unseen_class_is_refused(line, tmp_path):
    for protocol in ("published", "clean"):
        table = (line.split / f"{protocol}.jsonl").read_text()
        (tmp_path / f"{protocol}.jsonl").write_text(table.replace('"FD1"', '"smiling"'))
    with pytest.raises(StageError, match="smiling, which the training side never showed"):
        evaluate_models(
            line.inputs.models, tmp_path, line.inputs.faces, tmp_path / "p", tmp_path / "e.json",
            tmp_path / "plots", line.params.evaluate, 4,
        )  # fmt: skip
