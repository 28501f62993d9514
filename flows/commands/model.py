"""Commands on the classifiers of a study: onnx, baselines, folds."""

import sys
from argparse import ArgumentParser, Namespace
from contextlib import nullcontext, redirect_stdout
from functools import partial

from flows.commands.options import add_model, add_study
from flows.studies import model_file, opened
from flows.terminal import say_json
from flows.workspace import require_workspace
from pipeline.exports.outputs import output_file
from pipeline.files import write_json
from pipeline.stage import STAGES


def onnx_options(page: ArgumentParser) -> None:
    """What `pallor onnx` can be asked."""
    page.add_argument("-o", "--out", required=True, metavar="FILE.onnx")
    add_model(page)


def baselines_options(page: ArgumentParser) -> None:
    """What `pallor baselines` can be asked."""
    add_study(page)


def folds_options(page: ArgumentParser) -> None:
    """What `pallor folds` can be asked."""
    add_study(page)


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
    told = partial(print, file=sys.stderr) if options.json else print
    rows = {name: compare(workspace, study, params, name, told) for name in study.protocols}
    write_json(workspace.metrics / "baselines.json", rows)
    if options.json:
        say_json(rows)
        return
    for protocol, table in rows.items():
        print(f"{protocol}, test clips")
        for name, row in table.items():
            low, high = row["accuracy_ci95"]
            print(f"  {name:10} {row['accuracy']:6.1%}  {low:.1%} to {high:.1%}  n {row['n_test']}")


def folds(options: Namespace) -> None:
    """`pallor folds`: bring the stage `folds` of a study up to date and print its figures."""
    from flows.corpus import bring_up
    from flows.workspace import only_run
    from pipeline.report.record import read_record, record_lines

    require_workspace()
    workspace, study, _ = opened(options.study)
    quiet = redirect_stdout(sys.stderr) if options.json else nullcontext()
    with only_run("pallor folds"), quiet:
        bring_up([STAGES["folds"].key(study.name)], studies=[study.name])
    if options.json:
        say_json(read_record(workspace))
        return
    print("\n".join(record_lines(workspace)))
