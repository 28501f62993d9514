"""Pictures for the report: confusion matrices, ROC curves, calibration, training curves.

One picture for each kind, task and model, with a panel for each protocol. Drawn without pyplot's
global state and without dates, so that equal figures are equal bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.evaluation.metrics import roc
from pipeline.files import writing_folder

Row = Mapping[str, Any]
Trial = tuple[str, str, str]  # task, model, protocol

INK, QUIET, RULE = "#1f2328", "#6b7280", "#d5d8dc"
COLOURS = ("#1f2328", "#2f6db3", "#7fb0e0", "#b4532a", "#e2a07c", "#3f8f6b", "#9a7bb0")
KINDS = ("confusion", "roc", "reliability", "training")
DOSE = "dose"  # a fifth, of tasks that ask for it
STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": RULE, "xtick.color": QUIET, "ytick.color": QUIET, "axes.titlesize": 10,
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "legend.fontsize": 8, "figure.dpi": 160,
}  # fmt: skip


def plot_name(kind: str, task: str, model: str) -> str:
    """The file of a picture of one of KINDS: `roc-display-convlstm.png`."""
    return f"{kind}-{task}-{model}.png"


def write_plots(
    out: Path,
    results: Sequence[Row],
    predictions: Mapping[Trial, Sequence[Row]],
    records: Mapping[Trial, Sequence[Row]],
) -> None:
    """Fill `out` with a picture of each of KINDS for every task and model of `results`.

    Takes the rows of metrics/<study>/evaluation.json and, by (task, model, protocol), the rows of
    the predictions of all draws and the training record of each draw.
    """
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in results:
        pairs.setdefault((row["task"], row["model"]), []).append(row)
    with mpl.rc_context(STYLE), writing_folder(out) as part:
        for (task, model), rows in pairs.items():
            answers = {r["protocol"]: predictions[task, model, r["protocol"]] for r in rows}
            curves = {r["protocol"]: records[task, model, r["protocol"]] for r in rows}
            drawn = (draw_confusion(rows), draw_roc(answers), draw_reliability(rows),
                     draw_training(curves))  # fmt: skip
            figures = dict(zip(KINDS, drawn, strict=True))
            if curved := dosed(rows):
                figures[DOSE] = draw_dose(curved)
            for kind, figure in figures.items():
                figure.savefig(part / plot_name(kind, task, model), metadata={"Software": None})


def draw_confusion(rows: Sequence[Row]) -> Figure:
    """Truth in rows, prediction in columns, in each row's unit; the shade is a row's share."""
    figures = {}
    for row in rows:
        figure = row[f"by_{row['unit']}"]
        units = "people" if row["unit"] == "person" else f"{row['unit']}s"
        figures[f"{row['protocol']}, {figure['n_test']} {units}"] = figure["confusion"]
    return _panels(figures, _confusion)


def draw_roc(predictions: Mapping[str, Sequence[Row]]) -> Figure:
    """One curve a class against the rest, over windows; one curve in all of two classes."""
    return _panels({f"{n}, {len(rows)} windows": rows for n, rows in predictions.items()}, _roc)


def draw_reliability(rows: Sequence[Row]) -> Figure:
    """Accuracy by confidence; a dot's area is the share of windows in it."""
    calibrations = {
        f"{row['protocol']}, calibration error {row['calibration']['ece']:.3f}": row["calibration"]
        for row in rows
    }
    return _panels(calibrations, _reliability)


def draw_training(records: Mapping[str, Sequence[Row]]) -> Figure:
    """Loss by epoch, one curve a draw; the mark is the epoch whose weights were kept."""
    return _panels(records, _training, 2.8, sharey=True)


def dosed(rows: Sequence[Row]) -> list[Row]:
    """The rows that have a curve of dose and response."""
    return [row for row in rows if row.get("dose", {}).get("bins")]


def draw_dose(rows: Sequence[Row]) -> Figure:
    """Area under the ROC by dose, with its interval; the dashed lines are chance and 0.8."""
    return _panels({row["protocol"]: row["dose"] for row in rows}, _dose, 2.8, sharey=True)


def _panels(
    contents: Mapping[str, Any], draw: Callable[[Axes, Any], None], height: float = 3.5,
    sharey: bool = False,
) -> Figure:  # fmt: skip
    """Two titled panels a line; `height` is a line's, in inches."""
    lines = -(-len(contents) // 2)
    figure = Figure(figsize=(7.2, height * lines), layout="constrained")
    panels = figure.subplots(lines, 2, squeeze=False, sharey=sharey).ravel()
    for axes, (title, content) in zip(panels, contents.items(), strict=False):
        draw(axes, content)
        axes.set_title(title)
    for empty in panels[len(contents) :]:
        empty.set_axis_off()
    return figure


def _confusion(axes: Axes, confusion: Row) -> None:
    labels, matrix = confusion["labels"], np.array(confusion["matrix"])
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=2)  # light, so that black figures read
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            axes.text(column, row, str(count), ha="center", va="center")
    ticks = range(len(labels))
    long = max(map(len, labels)) * len(labels) > 40  # side by side they would run into each other
    axes.set(xticks=ticks, yticks=ticks, xlabel="predicted", ylabel="true class")
    axes.set_xticklabels(labels, fontsize=8, rotation=45 if long else 0)
    axes.set_yticklabels(labels, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _roc(axes: Axes, rows: Sequence[Row]) -> None:
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=0.8, linestyle="--")
    truth = np.array([row["label"] for row in rows])
    classes = list(rows[0]["probabilities"])
    for number, label in enumerate(classes if len(classes) > 2 else classes[-1:]):
        positive = truth == label
        if 0 < positive.sum() < len(positive):  # a rate needs both sides
            score = np.array([row["probabilities"][label] for row in rows])
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(*roc(positive, score), color=colour, linewidth=1.4, label=label)
    axes.set(
        xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1),
        ylim=(0, 1.02), aspect="equal",
    )  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")


def _reliability(axes: Axes, calibration: Row) -> None:
    confidence, accuracy, count = (
        np.array([bin_[key] for bin_ in calibration["bins"]])
        for key in ("confidence", "accuracy", "n")
    )
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=0.8, linestyle="--")
    axes.plot(confidence, accuracy, color=COLOURS[1], linewidth=1.0)
    axes.scatter(confidence, accuracy, 8 + 160 * count / count.sum(), color=COLOURS[1])
    axes.set(
        xlabel="confidence", ylabel="accuracy", xlim=(0, 1.04), ylim=(-0.02, 1.04), aspect="equal"
    )


def _dose(axes: Axes, response: Row) -> None:
    dose, area = (np.array([row[key] for row in response["bins"]]) for key in ("dose", "auc"))
    ends = np.array([row["auc_ci95"] for row in response["bins"]])
    for level in (0.5, response["smallest"]["auc"]):
        axes.axhline(level, color=RULE, linewidth=0.8, linestyle="--")
    axes.fill_between(dose, ends[:, 0], ends[:, 1], color=COLOURS[2], alpha=0.4, linewidth=0)
    axes.plot(dose, area, "o-", color=COLOURS[1], linewidth=1.2, markersize=4)
    axes.set(xlabel=response["of"], ylabel="AUC", ylim=(0, 1.02))


def _training(axes: Axes, records: Sequence[Row]) -> None:
    for number, record in enumerate(records):
        epochs = [row["epoch"] for row in record["curve"]]
        held = [row["validation_loss"] for row in record["curve"]]
        best = record["best_epoch"]
        names = ("training", f"validation {record['validation_unit']}s")
        labels = names if number == 0 else (None, None)  # folds share their legend
        width = 1.5 if len(records) == 1 else 0.8
        losses = [row["loss"] for row in record["curve"]]
        axes.plot(epochs, losses, color=QUIET, label=labels[0], linewidth=width)
        axes.plot(epochs, held, color=COLOURS[1], label=labels[1], linewidth=width)
        axes.plot(best, held[epochs.index(best)], "o", color=COLOURS[1], markersize=4)
    axes.set(xlabel="epoch", ylabel="loss, nats")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
