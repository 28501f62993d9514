import re

import pytest

from pipeline.report import report
from pipeline.report.summary import CAVEAT, missed_lines, report_object, terminal_summary
from pipeline.report.templates import fill


@pytest.fixture(scope="module", params=["line", "ward"])
def told(request):
    made = request.getfixturevalue(request.param)
    report.make(made.workspace, made.study, made.params)
    return made, terminal_summary(made.workspace, made.study)


def test_every_network_has_its_line_and_every_task_its_probes(told):
    made, text = told
    trials, draws = made.study.trials(), len(made.study.tasks) * len(made.study.protocols)
    figures = r"^  \w+ \w+ +\d+ \w+ +[\d.]+ +[\d.]+ to [\d.]+ +[\d.]+ +[\d.]+ to [\d.]+$"
    assert len(re.findall(figures, text, re.M)) == len(trials)
    assert len(re.findall(r"^  what can be told of '\w+' without seeing the", text, re.M)) == draws
    assert text.endswith(CAVEAT)
    assert max(map(len, text.splitlines())) < 160


def test_the_main_study_is_told_in_its_words(line):
    report.make(line.workspace, line.study, line.params)
    text = terminal_summary(line.workspace, line.study)
    assert "46 clips: 40 avatars, 6 transferred; 45 kept, 1 quarantined (blurred 1)" in text
    assert "(leaky): 15 % of the corpus is tested, drawn in single windows" in text
    assert "0 of 1 tested groups of people on both sides" in text
    assert "as published: accuracy 99.89, precision 99.8, recall 99.8" in text
    assert "without seeing the expression (chance 20.0 %): " in text


def test_the_json_holds_a_row_a_network(told):
    made, _ = told
    found = report_object(made.workspace, made.study)
    assert found["study"] == made.study.name
    assert found["counts"]["quarantined"] == 1
    assert len(found["results"]) == len(made.study.trials())
    assert {row["leaky"] for row in found["results"]} == {True, False}
    assert any(row["published"] for row in found["results"])
    for row in found["results"]:
        assert row["n"] > 0
        for figure in row["figures"].values():
            low, high = figure["ci95"]
            assert low <= figure["value"] <= high


PART = {"n_missed": 3, "n": 4, "found": 0.25, "accuracy": 0.2, "accuracy_ci95": [0.1, 0.3]}
WRONG = {
    "protocol": "folds",
    "leaky": False,
    "missed": {**PART, "n": 20, "errors_by": {"angle": {"full-left": PART}, "sex": {"male": PART}}},
}
COUNTED = {"protocol": "drawn", "leaky": True, "missed": {"n_missed": 1, "n": 9, "found": 0.9}}


def test_faces_that_were_not_found_are_errors_of_the_system():
    assert list(missed_lines({})) == []
    assert list(missed_lines(COUNTED)) == ["    no face found in 1 of 9 clips"]
    assert list(missed_lines(WRONG)) == [
        "    no face found in 3 of 20 clips; as errors they leave accuracy 20.0 (10.0 to 30.0)",
        "    seen full-left: face found in 25.0 of 4, accuracy 20.0 (10.0 to 30.0)",
    ]


def test_the_page_tells_missed_faces_by_every_group():
    rows = [row | {"asked_only": {}} for row in (WRONG, COUNTED, {"protocol": "sound"})]
    page = fill(report.PAGE.with_name("asked.html.j2"), {"section": {"rows": rows}})
    assert page.count("Faces that were not found") == 1
    assert 'Drawn <span class="leaky">(leaky)</span>: no face was found in 1 of 9 clips.' in page
    assert "they leave an accuracy of 20.0 per cent" in page
    for name in ("full-left", "male"):
        assert f"<td>{name}</td><td>25.0</td><td>20.0</td>" in page
