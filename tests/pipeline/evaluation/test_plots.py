import cv2
import pytest

from pipeline.evaluation.plots import (
    KINDS,
    draw_confusion,
    draw_reliability,
    draw_roc,
    draw_training,
    plot_name,
    write_plots,
)


def row(protocol="apart", model="convlstm", task="illness"):
    confusion = {"labels": ["calm", "ill"], "matrix": [[7, 2], [0, 5]]}
    bins = [
        {"confidence": 0.4, "accuracy": 0.1, "n": 3},
        {"confidence": 0.9, "accuracy": 1.0, "n": 9},
    ]
    return {
        "task": task, "model": model, "protocol": protocol, "unit": "clip",
        "by_clip": {"confusion": confusion, "n_test": 14},
        "calibration": {"ece": 0.15, "bins": bins},
    }  # fmt: skip


def answers(classes=("a", "b", "c")):
    return [
        {
            "label": label,
            "probabilities": dict(zip(classes, (share, 0.9 - share, 0.1), strict=False)),
        }
        for label, share in (("a", 0.8), ("b", 0.3), ("a", 0.6))
    ]


def record(best=2):
    curve = [
        {"epoch": n, "loss": 1 / n, "validation_loss": 1.2 / n} for n in range(1, 4)
    ]  # fmt: skip
    return {"curve": curve, "best_epoch": best, "validation_unit": "person"}


def titles(figure):
    return [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes if axes.axison]


def test_every_task_and_model_has_its_pictures(tmp_path):
    rows = [row(p, m) for m in ("convlstm", "cnn3d") for p in ("shared", "apart", "folds")]
    trials = [(r["task"], r["model"], r["protocol"]) for r in rows]
    write_plots(
        tmp_path / "plots", rows, dict.fromkeys(trials, answers()),
        {trial: [record()] for trial in trials},
    )  # fmt: skip
    expected = {plot_name(k, "illness", m) for k in KINDS for m in ("convlstm", "cnn3d")}
    assert {path.name for path in (tmp_path / "plots").iterdir()} == expected
    for path in (tmp_path / "plots").iterdir():
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) > 200
        assert picture.std() > 5
        assert b"Software" not in path.read_bytes()


@pytest.mark.parametrize("protocols", [["one"], ["one", "two", "three"]])
def test_every_protocol_has_a_panel(protocols):
    figure = draw_confusion([row(name) for name in protocols])
    assert titles(figure) == [f"{name}, 14 clips" for name in protocols]


def test_a_confusion_matrix_says_its_counts():
    axes = draw_confusion([row()]).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["2", "5", "7"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["calm", "ill"]


def test_reliability_is_drawn_where_it_was_measured():
    figure = draw_reliability([row()])
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[0.4, 0.1], [0.9, 1.0]]
    assert titles(figure) == ["apart, calibration error 0.150"]


def test_a_class_without_both_sides_has_no_curve():
    axes = draw_roc({"apart": answers()}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_two_classes_have_one_curve():
    axes = draw_roc({"apart": answers(("a", "b"))}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b"]


def test_a_test_side_of_one_class_has_no_legend():
    axes = draw_roc({"apart": answers()[:1]}).axes[0]
    assert axes.get_legend() is None


def test_folds_share_a_panel_and_a_legend():
    axes = draw_training({"folds": [record(1), record(2), record(3)]}).axes[0]
    assert len([line for line in axes.lines if line.get_marker() == "o"]) == 3
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "training", "validation persons",
    ]  # fmt: skip
