"""Commands on the classifiers of a study: onnx, baselines, folds."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from flows.commands.options import add_model, add_study
from flows.studies import model_file, opened
from flows.workspace import require_workspace
from pipeline.exports.outputs import output_file
from pipeline.files import write_json
from pipeline.stage import STAGES


def add_commands(command: Callable[[str, str], ArgumentParser]) -> None:
    """The grammar of `pallor onnx`, `pallor baselines` and `pallor folds`."""
    onnx = command("onnx", "write a trained classifier as an ONNX file")
    onnx.add_argument("-o", "--out", required=True, metavar="FILE.onnx")
    add_model(onnx)
    add_study(command("baselines", "train simpler models and put them beside the study's own"))
    add_study(command("folds", "the figure of record: every person tested by a stranger, by seed"))


def onnx(options: Namespace) -> None:
    """`pallor onnx`: a classifier for runtimes outside Python."""
    from pipeline.report.record import doubt_of
    from pipeline.training.portable import write_onnx

    require_workspace()
    model = model_file(options.study, options.task, options.model, options.protocol)
    workspace, study, _ = opened(options.study)
    doubt = doubt_of(workspace, study, model)
    out = output_file(options.out, ".onnx", [model])
    size = write_onnx(model, out, doubt.row() if doubt else None)
    print(f"{options.out}: {model}, {size / 1e6:.2f} MB")
    if doubt is None:
        print(f"{options.out} does not say when it does not know: no folds of it were measured")


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
    """`pallor folds`: bring the stage `folds` of a study up to date and print its figures."""
    from flows.corpus import bring_up
    from flows.workspace import only_run
    from pipeline.report.record import record_lines

    require_workspace()
    workspace, study, _ = opened(options.study)
    with only_run("pallor folds"):
        bring_up([STAGES["folds"].key(study.name)], studies=[study.name])
    print("\n".join(record_lines(workspace)))
