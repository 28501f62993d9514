"""The notebooks of docs/, cell after cell, on a dataset of seven tiny clips."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.exports.dataset import write_dataset

NOTEBOOKS = sorted((Path(__file__).parents[3] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    """The folder of the notebooks in a clone whose `handover` is the dataset."""
    clone = tmp_path_factory.mktemp("clone")
    (clone / "handover").mkdir()
    write_dataset(source, clone / "handover")
    place = clone / "docs" / "notebooks"
    place.mkdir(parents=True)
    return place


def run(path, folder):
    """Python runs the cells itself: no Jupyter, so no magics."""
    cells = json.loads(path.read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, "-W", "error::FutureWarning", "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path, folder):
    made = run(path, folder)
    assert made.returncode == 0, made.stderr
    told = {"explore-corpus": "", "train-your-own": "people never met: accuracy "}
    assert told[path.stem] in made.stdout


def test_outputs_are_not_committed():
    cells = [cell for path in NOTEBOOKS for cell in json.loads(path.read_text())["cells"]]
    assert [cell["outputs"] for cell in cells if cell.get("outputs")] == []
