"""Curves of trainings while they go, and two trainings side by side, with real DVC."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.curves import FIGURES, Curves, figures_of, followed
from pipeline.files import write_jsonl
from pipeline.study import parse_study
from pipeline.training.fit import Epoch
from pipeline.training.train import _line
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[2]
WHO = {f"GIT_{r}_{w}": "t@t" for r in ("AUTHOR", "COMMITTER") for w in ("NAME", "EMAIL")}
# A training that prints what the train stage prints, and keeps the record that it keeps.
TRAIN = """
import json, yaml
from pathlib import Path
from flows.curves import followed
from pipeline.training.fit import Epoch
from pipeline.training.train import _line
rate = yaml.safe_load(Path("params.yaml").read_text())["rate"]
curve = [Epoch(n, round(rate / n, 6), 0.5, 1.0, 0.25 * n) for n in (1, 2, 3)]
with followed("toy"):
    for row in curve:
        print(_line("display convlstm clean", row, 3), flush=True)
out = Path("models/display/convlstm")
out.mkdir(parents=True)
(out / "clean.json").write_text(json.dumps({"task": "display", "curve": [vars(r) for r in curve]}))
Path("evaluation.json").write_text(json.dumps({"accuracy": rate}))
"""
LINE = """
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [rate]
    outs: [models]
    metrics: [{evaluation.json: {cache: false}}]
"""
RECORD = "models/display/convlstm/clean.json"


def epochs(folder, name):
    with (folder / "plots/metrics" / f"{name}.tsv").open() as stream:
        return [
            (int(row["step"]), float(row[name])) for row in csv.DictReader(stream, delimiter="\t")
        ]


def lines(*numbers):
    return [_line("display convlstm clean", Epoch(n, 1 / n, 0.5, 2.0, 0.25), 9) for n in numbers]


@pytest.fixture(autouse=True)
def inside(workspace):
    """An empty DVC workspace is the current folder."""


def test_the_lines_of_the_train_stage_become_curves():
    curves = Curves("toy")
    for line in [*lines(1, 2, 3), "train display convlstm clean: bfloat16", "render 3/4"]:
        curves.hear(line)
    folder = curves.folder("display", "convlstm", "clean")
    assert epochs(folder, "loss") == [(1, 1.0), (2, 0.5), (3, 0.333)]
    assert sorted(path.stem for path in folder.glob("plots/metrics/*")) == sorted(FIGURES)
    assert json.loads((folder / "metrics.json").read_text())["step"] == 3


def test_a_training_that_goes_on_goes_on_and_one_begun_anew_begins_anew():
    for number in (1, 2):
        for line in lines(number):
            Curves("toy").hear(line)  # a new one each time, as after a kill
    folder = Curves("toy").folder("display", "convlstm", "clean")
    assert [step for step, _ in epochs(folder, "loss")] == [1, 2]
    Curves("toy").hear(*lines(1))
    assert [step for step, _ in epochs(folder, "loss")] == [1]


def test_what_is_printed_goes_on_as_it_is_with_that_of_children(capfd):
    said = lines(1, 2)
    with followed("toy"):
        os.write(1, f"{said[0]}\n".encode())
        subprocess.run([sys.executable, "-c", f"print({said[1]!r})"], check=True)
        os.write(1, b"no line's end")
    assert capfd.readouterr().out == f"{said[0]}\n{said[1]}\nno line's end"
    print("after it")
    assert capfd.readouterr().out == "after it\n"
    assert len(epochs(Path("live/toy/display/convlstm/clean"), "loss")) == 2


def test_a_disk_that_takes_no_curves_ends_no_run(capfd):
    Path("live").write_text("a file where a folder must be")
    with followed("toy"):
        os.write(1, "\n".join([*lines(1, 2), ""]).encode())
    told = capfd.readouterr()
    assert told.out.count("train display") == 2
    assert told.err.count("curves are not written on") == 1


def test_a_confusion_matrix_is_left_as_data():
    values = yaml.safe_load((ROOT / "studies" / MAIN / "study.yaml").read_text())
    study = parse_study(values, "test")
    for task, model, protocol in study.trials():
        for draw in study.protocols[protocol].draws(protocol):
            rows = [{"label": "FD1", "predicted": p} for p in ("FD1", "FD2-L")]
            write_jsonl(Workspace("toy").answers(task, model, draw), rows)
    figures_of(Workspace("toy"), study)
    [path] = Path("live/toy/display").rglob("clean/plots/sklearn/confusion_matrix.json")
    assert json.loads(path.read_text())[1] == {"actual": "FD1", "predicted": "FD2-L"}


def test_a_sweep_is_queued_run_and_compared(tmp_path):
    """docs/tutorials/sweep.md, on a toy: two settings queued, run, and laid side by side."""
    root = tmp_path / "sweep"
    root.mkdir()
    environment = {
        **os.environ, **WHO, "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip

    def call(*words):
        run = subprocess.run(
            words, cwd=root, capture_output=True, text=True, env=environment, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def dvc(*words):
        return call(sys.executable, "-m", "dvc", *words)

    call("git", "init", "-q")
    dvc("init", "-q")
    for name, text in {"train.py": TRAIN, "dvc.yaml": LINE, "params.yaml": "rate: 0.5\n",
                       ".gitignore": "/live/\n"}.items():  # fmt: skip
        (root / name).write_text(text)
    call("git", "add", "-A")
    call("git", "commit", "-qm", "a line")
    dvc("exp", "run", "-q", "--queue", "-S", "rate=0.25,0.75")
    dvc("exp", "run", "-q", "--run-all", "-j", "2")
    table = list(csv.DictReader(dvc("exp", "show", "--csv").splitlines()))
    tried = {row["rate"]: row for row in table if row["Experiment"]}
    assert {rate: row["accuracy"] for rate, row in tried.items()} == {
        "0.25": "0.25",
        "0.75": "0.75",
    }
    names = [row["Experiment"] for row in tried.values()]
    said = dvc("plots", "diff", *names, "--targets", RECORD, "-x", "epoch", "-y", "loss", "--json")
    [plot] = json.loads(said)["data"][RECORD]
    values = plot["content"]["data"]["values"]
    assert {row["rev"] for row in values} == set(names)
    assert sorted(row["loss"] for row in values if row["epoch"] == 1) == [0.25, 0.75]
    locks = [call("git", "show", f"{row['rev']}:dvc.lock") for row in tried.values()]
    assert not any("live" in lock for lock in locks)  # nothing of the curves is in a hash
    assert call("git", "status", "--porcelain") == ""
