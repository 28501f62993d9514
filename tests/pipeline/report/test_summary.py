import re

import pytest

from pipeline.report import report
from pipeline.report.summary import CAVEAT, report_object, terminal_summary


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
