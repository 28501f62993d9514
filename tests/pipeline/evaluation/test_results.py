import pytest

from pipeline.errors import StageError
from pipeline.evaluation.results import Results
from pipeline.files import write_json
from pipeline.study import parse_study

STUDY = parse_study(
    {
        "name": "ward",
        "title": "Ward",
        "question": "Well or ill?",
        "cohorts": {"cast": 4},
        "arms": [
            {"label": label, "cohorts": ["cast"], "expressions": ["smile"]}
            for label in ("well", "ill")
        ],
        "tasks": {"illness": {"detect": ["ill"]}, "pain": {}},
        "protocols": {
            "shared": {"unit": "window", "together": "nothing", "test": 0.25, "leaky": True},
            "apart": {"unit": "person", "together": "person", "folds": 2, "leaky": False},
        },
        "models": {"convlstm": {}, "cnn3d": {"tasks": ["pain"]}},
        "published": {
            "source": "A paper",
            "claims": [{"task": "illness", "protocol": "shared", "figures": {"auc": 0.9}}],
        },
    },
    "a test",
)


def figures(accuracy, n, auc=None):
    return {
        "accuracy": accuracy, "accuracy_ci95": [0.5, 0.9], "n_test": n, "auc": auc,
        "auc_ci95": None if auc is None else [0.6, 1.0],
    }  # fmt: skip


def rows():
    return [
        {
            "task": task, "model": model, "protocol": protocol,
            "leaky": STUDY.protocols[protocol].leaky, "unit": STUDY.protocols[protocol].unit,
            "by_window": figures(0.8, 40, 0.9), "by_clip": figures(0.7, 10),
            "by_person": figures(0.6, 5),
        }
        for task, model, protocol in STUDY.trials()
    ]  # fmt: skip


def probe(protocol):
    return {"task": "illness", "protocol": protocol, "leaky": False, "identity": {"accuracy": 0.5}}


@pytest.fixture
def results(tmp_path):
    write_json(tmp_path / "e.json", {"results": rows(), "probes": [probe("apart")]})
    return Results.read(tmp_path / "e.json")


def test_a_row_is_found_by_task_model_and_protocol(results):
    row = results.row("pain", "cnn3d", "apart")
    assert (row["task"], row["model"], row["protocol"]) == ("pain", "cnn3d", "apart")
    assert results.headline(row)["n_test"] == 5


def test_what_was_not_measured_is_said(results):
    with pytest.raises(StageError, match="illness, cnn3d, apart: no such result"):
        results.row("illness", "cnn3d", "apart")


def test_probes_are_by_name(results):
    assert results.probes("illness", "apart") == {"identity": {"accuracy": 0.5}}


def test_the_study_is_known_by_its_first_row_of_either_kind(results):
    assert results.first(STUDY, leaky=True) == results.row("illness", "convlstm", "shared")
    assert results.first(STUDY, leaky=False) == results.row("illness", "convlstm", "apart")
    strict = STUDY.model_copy(update={"protocols": {"apart": STUDY.protocols["apart"]}})
    assert results.first(strict, leaky=True) is None


def test_flat_rows_hold_what_is_known_and_what_was_claimed(results):
    flat = results.flat(STUDY)
    assert len(flat) == len(STUDY.trials())
    leaky, clean = flat[:2]
    assert leaky["published"] == {"auc": 0.9}
    assert clean["published"] is None
    assert leaky["figures"]["auc"] == {"value": 0.9, "ci95": [0.6, 1.0]}
    assert list(clean["figures"]) == ["accuracy"]
    assert (leaky["n"], clean["n"]) == (40, 5)


def test_an_old_file_is_refused(tmp_path):
    write_json(tmp_path / "e.json", {"clean": {}, "probes": {}})
    with pytest.raises(StageError, match="does not hold"):
        Results.read(tmp_path / "e.json")
