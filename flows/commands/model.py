"""Commands on the classifier: onnx, baselines, folds."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from flows.workspace import (
    CLIPS,
    FACES,
    METRICS,
    MODELS,
    OVERSAMPLED,
    SPLIT,
    require_workspace,
)
from pipeline.files import child_seed, write_json
from pipeline.params import load_params
from pipeline.records import PROTOCOLS


def add_commands(command: Callable[[str, str], ArgumentParser]) -> None:
    """The grammar of `pallor onnx`, `pallor baselines` and `pallor folds`."""
    onnx = command("onnx", "write the trained classifier as an ONNX file")
    onnx.add_argument("-o", "--out", required=True, metavar="FILE.onnx")
    onnx.add_argument("--protocol", choices=PROTOCOLS, default="clean")
    command("baselines", "train simpler models on both splits and put them beside the ConvLSTM")
    folds = command("folds", "train once a fold, so that every person is tested by a stranger")
    folds.add_argument("--folds", type=int, default=5, metavar="K")


def onnx(options: Namespace) -> None:
    """`pallor onnx`: the classifier for runtimes outside Python."""
    from pipeline.training.portable import write_onnx

    require_workspace()
    size = write_onnx(MODELS / f"{options.protocol}.safetensors", Path(options.out))
    print(f"{options.out}: the {options.protocol} split's model, {size / 1e6:.2f} MB")


def baselines(options: Namespace) -> None:
    """`pallor baselines`: metrics/baselines.json and a table."""
    from pipeline.evaluation.baselines import Folders, compare

    del options
    require_workspace()
    params = load_params()
    folders = Folders(CLIPS, FACES, OVERSAMPLED, MODELS)
    seed = child_seed(params.seed, "baselines")
    rows = {name: compare(name, folders, params, seed, print) for name in PROTOCOLS}
    write_json(METRICS / "baselines.json", rows)
    for protocol, table in rows.items():
        print(f"{protocol}, test clips")
        for name, row in table.items():
            low, high = row["accuracy_ci95"]
            print(f"  {name:10} {row['accuracy']:6.1%}  {low:.1%} to {high:.1%}  n {row['n_test']}")


def folds(options: Namespace) -> None:
    """`pallor folds`: metrics/folds.json and its figures."""
    from flows.runners import workers  # brings Prefect: two seconds that no other command needs
    from pipeline.evaluation.folds import cross_validate

    require_workspace()
    figures = cross_validate(
        SPLIT / "clean.jsonl", FACES, load_params(), options.folds, workers(), print
    )
    write_json(METRICS / "folds.json", figures)
    low, high = figures["accuracy_ci95"]
    print(f"all clips: {figures['accuracy']:.1%}, 95 % {low:.1%} to {high:.1%}")
    for kind, row in figures["by_kind"].items():
        print(f"  {kind:9} {row['accuracy']:6.1%}  n {row['n']}")
