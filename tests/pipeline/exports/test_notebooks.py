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
    """A folder with the dataset beside which a notebook is opened."""
    place = tmp_path_factory.mktemp("notebook")
    (place / "handover").mkdir()
    write_dataset(source, place / "handover")
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
