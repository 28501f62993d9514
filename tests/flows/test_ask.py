"""`pallor predict` and `pallor score` on folders, long films and a capture source."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from flows.cli import main
from models import Classifier, build
from pipeline.files import write_json
from pipeline.media.video import read_clip, write_clip
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[2]
TURN = ROOT / "tests" / "data" / "faces" / "turn.mp4"  # 16 frames at 8 a second
LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
DOUBT = {"alpha": 0.1, "limit": 0.85, "unsure": 0.9, "groups": 25}


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A workspace of the main study with a small model of its own, and folds that were measured."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "studies" / MAIN, tmp_path / "studies" / MAIN)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["faces"]["detector"] = "haar"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(
            "convlstm", classes=5, channels=1, size=64, frames=8,
            parameters={"hidden": 4, "stem": 4},
        )  # fmt: skip
    workspace = Workspace()
    Classifier("convlstm", network, LABELS, 8).save(workspace.model("display", "convlstm", "clean"))
    write_json(workspace.folds, {"models": {"convlstm": {}}, "doubt": DOUBT})
    films = tmp_path / "films"
    films.mkdir()
    turn = read_clip(TURN)
    write_clip(films / "a.mp4", turn, 8)
    write_clip(films / "portrait.mp4", np.pad(turn, ((0, 0), (40, 40), (0, 0), (0, 0)), "edge"), 8)
    write_clip(films / "long.mp4", np.concatenate([turn] * 3), 8)  # 6 s
    (films / "broken.mp4").write_bytes(TURN.read_bytes()[:900])
    return tmp_path


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_has_a_row_a_film_and_a_sentence_for_the_broken_one(clone, capsys):
    (clone / "films" / "notes.csv").write_text("lies beside the films\n")
    assert main(["predict", "films", "-o", "out.csv"]) == 3
    found = {row["file"]: row for row in rows("out.csv")}
    assert list(found) == ["a.mp4", "broken.mp4", "long.mp4", "portrait.mp4"]
    assert found["broken.mp4"]["reason"] == "films/broken.mp4 cannot be read as a video"
    assert found["broken.mp4"]["label"] == ""
    for name in ("a.mp4", "portrait.mp4"):
        shares = [float(found[name][f"p_{label}"]) for label in LABELS]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert found[name]["unknown"] in ("True", "False")
        assert set(found[name]["set"].split()) <= set(LABELS)
        assert (found[name]["start"], found[name]["end"]) == ("0.0", "2.0")
    said = capsys.readouterr()
    assert said.err.strip() == ("pallor: 1 film could not be read to the end, see above")
    assert "broken.mp4 cannot be read as a video" in said.out


def test_a_film_is_cut_into_steps_and_written_as_json(clone, capsys):
    assert main(["predict", "films/long.mp4", "--step", "2", "-o", "out.json"]) == 0
    found = json.loads(Path("out.json").read_text())
    assert [(row["start"], row["end"]) for row in found] == [(0, 2), (2, 4), (4, 6)]
    assert found[0]["probabilities"] == found[2]["probabilities"]  # each is judged by itself
    assert "not a diagnosis" in capsys.readouterr().out


def test_a_film_file_in_a_cameras_place_is_looked_at_live(clone, capsys):
    write_clip(Path("live.mp4"), np.concatenate([read_clip(TURN)] * 5), 8)  # 10 s
    assert main(["predict", "--camera", "live.mp4", "--seconds", "5", "-o", "live.csv"]) == 0
    found = rows("live.csv")
    assert len(found) == 2  # ten pictures are left out before each stretch
    assert float(found[0]["end"]) <= float(found[1]["start"])
    assert all(row["label"] or row["reason"] for row in found)
    capsys.readouterr()
    assert main(["predict", "--camera", "none.mp4"]) == 2
    assert "the camera source none.mp4 does not open" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict"], "name a video, a folder or camera[:N], or give --camera N"),
        (["predict", "films", "--step", "0.5"], "--step is 0.5 s; the model needs 1 to 60 s"),
        (["predict", "films", "--step", "nan"], "--step is nan s; the model needs 1 to 60 s"),
        (["predict", "films", "-o", "out.txt"], "out.txt must end in .csv or .json"),
        (["score", "nowhere", "--labels", "labels.csv"], "nowhere is no folder"),
        (["score", "films", "--labels", "none.csv"], "none.csv cannot be read"),
        (["benchmark", "a.onnx"], "the test side of deterioration does not lie here; `dvc pull`"),
    ],
)
def test_faults_are_one_sentence(clone, arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


TABLE = """file,label,start,end,subject
a.mp4,FD1,,,ada
portrait.mp4,FD3-L,,,bob
long.mp4,FD1,0,2,ada
long.mp4,FD1,4,9,ada
broken.mp4,FD1,,,cleo
gone.mp4,FD1,,,cleo
twins.mp4,FD1,,,ada
twins.mp4,FD2-L,0,1,bob
short.mp4,none,,,dan
a.mp4,FD9,,,ada
"""


def test_all_that_can_be_scored_is_and_the_rest_is_said(clone, capsys):
    films = clone / "films"
    for name in ("twins", "short", "alone"):
        shutil.copy(films / "a.mp4", films / f"{name}.mp4")
    Path("labels.csv").write_text(TABLE)
    assert main(["score", "films", "--labels", "labels.csv", "-o", "score.json"]) == 3
    said = capsys.readouterr()
    for sentence in (
        "films/broken.mp4 cannot be read as a video",
        "labels.csv line 7: there is no gone.mp4 in films; this row is left out",
        "labels.csv lines 8 and 9: twins.mp4 has two subjects at one time (ada, bob)",
        "long.mp4 from 4 s to 9 s reaches past the end of the film, which lasts 6.0 s",
        "labels.csv line 11: 'FD9' is no class of the model; the nearest is 'FD1'",
        "alone.mp4: it has no label in labels.csv; it is left out",
        "4 clips of 3 subjects, judged by",
        "This is no validation",
        "the corpus does not lie here",
    ):
        assert sentence in said.out, sentence
    assert "n < 10" in said.out
    assert "6 rows or films were left out" in said.err
    found = json.loads(Path("score.json").read_text())
    assert found["by_clip"]["n_test"] == 3
    assert found["by_clip"]["n_people"] == 2
    assert found["by_window"]["n_test"] == 27
    assert found["groups"]["subject"]["ada"]["n"] == 2
    assert found["none"]["n"] == 1
    assert 0 <= found["doubt"]["coverage"] <= 1
    assert found["distance"] is None
