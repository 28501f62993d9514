import cv2

from pipeline.plots import draw_confusion, draw_roc


def test_every_plot_is_drawn(line):
    names = sorted(path.name for path in line.inputs.plots.iterdir())
    assert names == [
        "confusion_clean.png", "confusion_published.png", "roc.png", "training.png",
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


def test_a_class_without_both_sides_has_no_curve():
    rows = [
        {"label": label, "probabilities": {"a": share, "b": 0.9 - share, "c": 0.1}}
        for label, share in (("a", 0.8), ("b", 0.3), ("a", 0.6))
    ]
    axes = draw_roc({"clean": rows}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
