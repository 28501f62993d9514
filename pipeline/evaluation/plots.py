"""Figures for the report: confusion matrices, ROC curves, training curves.

Drawn without pyplot's global state and without dates, so that equal figures are equal bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.evaluation.metrics import roc
from pipeline.files import writing_folder

INK, QUIET, RULE = "#1f2328", "#6b7280", "#d5d8dc"
COLOURS = ("#1f2328", "#2f6db3", "#7fb0e0", "#b4532a", "#e2a07c")  # left dark, right light
STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": RULE, "xtick.color": QUIET, "ytick.color": QUIET, "axes.titlesize": 10,
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "legend.fontsize": 8, "figure.dpi": 160,
}  # fmt: skip


def write_plots(
    out: Path,
    evaluation: Mapping[str, Any],
    predictions: Mapping[str, Sequence[Mapping[str, Any]]],
    records: Mapping[str, Mapping[str, Any]],
) -> None:
    """Fill `out` with confusion_<protocol>.png, roc.png, reliability.png and training.png.

    Takes metrics/evaluation.json, the prediction rows and the training records, by protocol.
    """
    with mpl.rc_context(STYLE), writing_folder(out) as part:
        for protocol in predictions:
            figures = evaluation[protocol]
            title = f"{protocol}, {figures['n_test']} {figures['unit']}s"
            _save(draw_confusion(figures["confusion"], title), part / f"confusion_{protocol}.png")
        _save(draw_roc(predictions), part / "roc.png")
        curves = {protocol: evaluation[protocol]["calibration"] for protocol in predictions}
        _save(draw_reliability(curves), part / "reliability.png")
        _save(draw_training(records), part / "training.png")


def draw_confusion(confusion: Mapping[str, Any], title: str) -> Figure:
    """Truth in rows, prediction in columns; the shade is the share of the row."""
    labels, matrix = confusion["labels"], np.array(confusion["matrix"])
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(3.6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=2)  # light, so that black figures read
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            axes.text(column, row, str(count), ha="center", va="center")
    ticks = range(len(labels))
    axes.set(xticks=ticks, yticks=ticks, xlabel="predicted", ylabel="performed", title=title)
    axes.set_xticklabels(labels, fontsize=8)
    axes.set_yticklabels(labels, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def draw_roc(predictions: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """One panel a protocol, one curve a class against the rest, over windows."""
    figure = Figure(figsize=(7.2, 3.5), layout="constrained")
    panels = figure.subplots(1, len(predictions), squeeze=False)[0]
    for axes, (protocol, rows) in zip(panels, predictions.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=0.8, linestyle="--")
        _draw_curves(axes, rows)
        axes.set(
            xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1),
            ylim=(0, 1.02), aspect="equal", title=f"{protocol}, {len(rows)} windows",
        )  # fmt: skip
        axes.legend(loc="lower right")
    return figure


def draw_reliability(calibrations: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Accuracy by confidence, one panel a protocol; a dot's area is the share of windows in it."""
    figure = Figure(figsize=(7.2, 3.5), layout="constrained")
    panels = figure.subplots(1, len(calibrations), squeeze=False)[0]
    for axes, (protocol, row) in zip(panels, calibrations.items(), strict=True):
        confidence, accuracy, count = (
            np.array([bin_[key] for bin_ in row["bins"]]) for key in ("confidence", "accuracy", "n")
        )
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=0.8, linestyle="--")
        axes.plot(confidence, accuracy, color=COLOURS[1], linewidth=1.0)
        axes.scatter(confidence, accuracy, 8 + 160 * count / count.sum(), color=COLOURS[1])
        axes.set(
            xlabel="confidence", ylabel="accuracy", xlim=(0, 1.04), ylim=(-0.02, 1.04),
            aspect="equal", title=f"{protocol}, expected calibration error {row['ece']:.3f}",
        )  # fmt: skip
    return figure


def draw_training(records: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Loss by epoch, one panel a protocol; the mark is the epoch whose weights were kept."""
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    panels = figure.subplots(1, len(records), squeeze=False, sharey=True)[0]
    for axes, (protocol, record) in zip(panels, records.items(), strict=True):
        epochs = [row["epoch"] for row in record["curve"]]
        axes.plot(epochs, [row["loss"] for row in record["curve"]], color=QUIET, label="training")
        held = [row["validation_loss"] for row in record["curve"]]
        axes.plot(epochs, held, color=COLOURS[1], label=f"held-out {record['validation_unit']}s")
        best = record["best_epoch"]
        axes.plot(best, held[epochs.index(best)], "o", color=COLOURS[1], markersize=4)
        axes.set(xlabel="epoch", ylabel="loss, nats", title=protocol)
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return figure


def _draw_curves(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    truth = np.array([row["label"] for row in rows])
    for number, label in enumerate(rows[0]["probabilities"]):
        positive = truth == label
        if not 0 < positive.sum() < len(positive):
            continue  # a rate needs both sides
        score = np.array([row["probabilities"][label] for row in rows])
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(*roc(positive, score), color=colour, linewidth=1.4, label=label)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
