import re
import shutil
from dataclasses import replace

import cv2
import pytest

from pipeline.errors import StageError
from pipeline.evaluation.results import Results
from pipeline.files import read_json, write_json
from pipeline.report import report
from pipeline.report.templates import percent
from pipeline.workspace import Workspace


@pytest.fixture(scope="module")
def written(line):
    report.make(line.workspace, line.study, line.params)
    return line.workspace


@pytest.fixture(scope="module")
def page(written):
    return (written.report / "index.html").read_text()


@pytest.fixture(scope="module")
def other(ward):
    report.make(ward.workspace, ward.study, ward.params)
    return (ward.workspace.report / "index.html").read_text()


def test_the_counts_add_up(line, written):
    counts = read_json(written.counts)
    assert counts == report.count(written, line.plan)
    assert (counts["planned"], counts["avatar_clips"], counts["transferred_clips"]) == (46, 40, 6)
    assert counts["clips"] == counts["kept"] + counts["quarantined"] == 46
    assert counts["quarantine_reasons"] == {"blurred": 1}
    assert counts["cropped"] == 46  # blurred is judged on the crop


def test_a_clip_not_made_is_not_counted(line, tmp_path):
    root = shutil.copytree(line.workspace.root, tmp_path / "w")
    workspace = replace(line.workspace, root=root)
    (workspace.clips / f"{line.plan.clips[0].clip_id}.mp4").unlink()
    assert report.count(workspace, line.plan)["avatar_clips"] == 39


@pytest.mark.parametrize("name", ["page", "other"])
def test_the_page_needs_nothing_else(request, name):
    page = request.getfixturevalue(name)
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "url(" not in page
    assert "<script" not in page
    assert "{{" not in page
    assert "Not a medical device" in page


def test_the_page_of_the_main_study_says_what_it_must(line, page):
    results = Results.read(line.workspace.evaluation)
    clean = results.headline(results.first(line.study, leaky=False))
    assert page.count("data:image/png;base64,") == 5  # the sheet, and a picture of each kind
    assert "Where 99.89 per cent comes from" in page
    assert "as published" in page
    assert f"{percent(clean['accuracy'])} %" in page
    assert "1 blurred" in page
    assert "so no model of it can say that a person is well" in page


@pytest.mark.parametrize(
    "said",
    ["Weak or well", "Does a smile show weakness?", "3 folds of whole people, each tested once",
     "tested on away, trained on everybody else", "myasthenia, severity 0.1 to 0.9",
     "<h3>diagnosis</h3>", "<h3>kind</h3>", "<summary>diagnosis, cnn3d</summary>", "sensitivity",
     "68.0 to 81.0", "Somebody et al. 2025", "first of 3 draws", "of asleep, called negative 75.0",
     "44.4 % (20.0 to 70.0) are answered", "30.0 to 70.0", "9 n &lt; 10"],
)  # fmt: skip
def test_the_page_of_any_study_says_what_it_must(other, said):
    assert said in other


@pytest.mark.parametrize("silent", ["Where 80", "groups of people on both", "take over"])
def test_the_page_says_nothing_that_the_study_does_not(other, silent):
    assert silent not in other


def test_the_sheet_is_a_picture(written):
    assert cv2.imread(str(written.sheet)).shape[2] == 3


def test_the_same_inputs_give_the_same_page(line, written, page):
    before = written.sheet.read_bytes()
    report.make(line.workspace, line.study, line.params)
    assert (written.report / "index.html").read_text() == page
    assert written.sheet.read_bytes() == before


def test_a_missing_input_is_said(line, tmp_path):
    root = shutil.copytree(line.workspace.root, tmp_path / "w")
    workspace = replace(line.workspace, root=root)
    workspace.evaluation.unlink()
    with pytest.raises(StageError, match="is missing"):
        report.make(workspace, line.study, line.params)


UNIT = {
    "shape": "mouthSmile{}", "films": 8, "rises": 0.75, "auc": [0.9, None], "rho": 0.7,
    "rho_sides": [0.72, 0.68], "groups": {"female": 0.8, "60+": 0.61, "male": None},
}  # fmt: skip
TOLD = {
    "accuracy": 0.62, "accuracy_ci95": [0.5, 0.7], "n": 125, "n_people": 25, "classes": 5,
}  # fmt: skip
OUTSIDE = {"units": {"12": UNIT}, "unseen": ["6", "9", "14"], "people": {}, "displays": TOLD}
SEEN = ("An outside judge", "mouthSmile", "<td>0.72</td><td>0.68</td>", "8 n &lt; 10", "60+ 0.61",
        "cannot see units 6, 9, 14", "62.0 % of 125 clips", "<td>-</td>")  # fmt: skip


def test_an_outside_judge_stands_on_the_page_where_it_was_asked(line, page, tmp_path):
    assert "An outside judge" not in page
    shutil.copytree(line.workspace.root, tmp_path / "line")
    mine = Workspace(line.workspace.study, tmp_path / "line")
    write_json(mine.metrics / "outside_judge.json", OUTSIDE)
    report.make(mine, line.study, line.params)
    told = (mine.report / "index.html").read_text()
    for said in SEEN:
        assert said in told, said
    write_json(mine.metrics / "outside_judge.json", {"units": {}})
    with pytest.raises(StageError, match="is no answer of the outside judge"):
        report.make(mine, line.study, line.params)


NETWORK = {"accuracy": 0.61, "accuracy_ci95": [0.5, 0.7], "seeds": [0.6, 0.62], "n_test": 45,
           "n_people": 8}  # fmt: skip
RECORD = {
    "recipe": {"folds": 4}, "first": "convlstm",
    "models": {"majority": NETWORK | {"accuracy": 0.2}, "convlstm": NETWORK},
    "single_run": {"low": 0.4, "high": 0.9, "share": 0.99},
    "doubt": {"alpha": 0.1, "coverage": 0.931, "coverage_ci95": [0.9, 1], "unknown": 0.05},
    "cheap": [{"fold": 1, "whole": 0.7, "cheap": 0.69, "n": 12}],
}  # fmt: skip


@pytest.mark.parametrize(("high", "told"), [(1, "does."), (0.05, "does not.")])
def test_the_figure_of_record_stands_first_where_it_was_measured(line, page, tmp_path, high, told):
    assert "figure of record" not in page
    shutil.copytree(line.workspace.root, tmp_path / "line")
    mine = Workspace(line.workspace.study, tmp_path / "line")
    run = RECORD["single_run"] | {"low": 0.0, "high": high}
    write_json(mine.folds, RECORD | {"single_run": run})
    report.make(mine, line.study, line.params)
    said = (mine.report / "index.html").read_text()
    assert said.index("<b>61.0 %</b>") < said.index("clips kept of") < said.index("clean accuracy")
    assert said.index("<h2>The figure of record") < said.index("<h2>What the corpus shows")
    assert said.index("<td>convlstm</td>") < said.index("<td>majority</td>")
    assert re.search(rf"fall in 0.0 to {percent(high)}. This run's [\d.]+ {told}", said)
    assert "contain the true one in 93.1 of the clips (90.0 to 100); 5.0 are called" in said
    assert "Fold 1 by the line's whole recipe 70.0, by the cheaper one of the folds 69.0" in said
