import cv2

from pipeline.evaluation.plots import draw_confusion, draw_reliability, draw_roc


def test_every_plot_is_drawn(line):
    names = sorted(path.name for path in line.inputs.plots.iterdir())
    assert names == [
        "confusion_clean.png", "confusion_published.png", "reliability.png", "roc.png",
        "training.png",
    ]  # fmt: skip
    for path in line.inputs.plots.iterdir():
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) > 200
        assert picture.std() > 5
        assert b"Software" not in path.read_bytes()


def test_a_confusion_matrix_says_its_counts():
    confusion = {"labels": ["calm", "ill"], "matrix": [[7, 2], [0, 5]]}
    axes = draw_confusion(confusion, "clean, 14 clips").axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["2", "5", "7"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["calm", "ill"]


def test_reliability_is_drawn_where_it_was_measured():
    bins = [
        {"confidence": 0.4, "accuracy": 0.1, "n": 3},
        {"confidence": 0.9, "accuracy": 1.0, "n": 9},
    ]
    axes = draw_reliability({"clean": {"ece": 0.15, "bins": bins}}).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[0.4, 0.1], [0.9, 1.0]]
    title = axes.get_title(loc="left") or axes.get_title()  # where it stands is the style's affair
    assert title == "clean, expected calibration error 0.150"


def test_a_class_without_both_sides_has_no_curve():
    rows = [
        {"label": label, "probabilities": {"a": share, "b": 0.9 - share, "c": 0.1}}
        for label, share in (("a", 0.8), ("b", 0.3), ("a", 0.6))
    ]
    axes = draw_roc({"clean": rows}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
