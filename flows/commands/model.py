"""Commands on the classifiers of a study: onnx, baselines, folds."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from flows.commands.options import add_model, add_study
from flows.studies import model_file, opened
from flows.workspace import require_workspace
from pipeline.exports.outputs import output_file
from pipeline.files import write_json


def add_commands(command: Callable[[str, str], ArgumentParser]) -> None:
    """The grammar of `pallor onnx`, `pallor baselines` and `pallor folds`."""
    onnx = command("onnx", "write a trained classifier as an ONNX file")
    onnx.add_argument("-o", "--out", required=True, metavar="FILE.onnx")
    add_model(onnx)
    add_study(command("baselines", "train simpler models and put them beside the study's own"))
    folds = command("folds", "train once a fold, so that every person is tested by a stranger")
    folds.add_argument("--folds", type=int, default=5, metavar="K")
    add_study(folds)


def onnx(options: Namespace) -> None:
    """`pallor onnx`: a classifier for runtimes outside Python."""
    from pipeline.training.portable import write_onnx

    require_workspace()
    model = model_file(options.study, options.task, options.model, options.protocol)
    size = write_onnx(model, output_file(options.out, ".onnx", [model]))
    print(f"{options.out}: {model}, {size / 1e6:.2f} MB")


def baselines(options: Namespace) -> None:
    """`pallor baselines`: baselines.json of the study's metrics, and a table."""
    from pipeline.evaluation.baselines import compare

    require_workspace()
    workspace, study, params = opened(options.study)
    rows = {name: compare(workspace, study, params, name, print) for name in study.protocols}
    write_json(workspace.metrics / "baselines.json", rows)
    for protocol, table in rows.items():
        print(f"{protocol}, test clips")
        for name, row in table.items():
            low, high = row["accuracy_ci95"]
            print(f"  {name:10} {row['accuracy']:6.1%}  {low:.1%} to {high:.1%}  n {row['n_test']}")


def folds(options: Namespace) -> None:
    """`pallor folds`: folds.json of the study's metrics, and its figures."""
    from flows.runners import workers  # brings Prefect: two seconds that no other command needs
    from pipeline.evaluation.folds import cross_validate

    require_workspace()
    workspace, study, params = opened(options.study)
    figures = cross_validate(workspace, study, params, options.folds, workers(), print)
    write_json(workspace.metrics / "folds.json", figures)
    low, high = figures["accuracy_ci95"]
    print(f"all clips: {figures['accuracy']:.1%}, 95 % {low:.1%} to {high:.1%}")
    for kind, row in figures["by_kind"].items():
        print(f"  {kind:9} {row['accuracy']:6.1%}  n {row['n']}")
