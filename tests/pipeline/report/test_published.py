from pathlib import Path

import pytest

from pipeline.report.published import explain_published
from pipeline.report.templates import percent
from pipeline.study import Published, read_study

MAIN = read_study(Path(__file__).parents[3] / "studies" / "deterioration" / "study.yaml")


def claiming(accuracy, clips=100, test_fraction=0.1):
    claim = {"task": "display", "protocol": "clean", "figures": {"accuracy": accuracy}}
    paper = {"source": "x", "clips": clips, "test_fraction": test_fraction, "claims": [claim]}
    return MAIN.model_copy(update={"published": Published.model_validate(paper)})


def test_the_figure_of_the_main_study_needs_hundreds_of_units():
    facts = explain_published(MAIN)
    assert facts["test_clips"] == 26
    assert percent(facts["one_error"]) == "96.2"
    assert facts["errors"] is None
    assert (facts["fewest"], facts["most"]) == (870, 952)
    assert round(1 - 1 / facts["fewest"], 4) == round(1 - 1 / facts["most"], 4) == 0.9989


def test_a_figure_that_clips_can_yield_is_said_to_be_one():
    facts = explain_published(claiming(0.8))
    assert (facts["test_clips"], facts["errors"]) == (10, 2)


def test_a_figure_that_no_single_error_yields_has_no_units():
    facts = explain_published(claiming(0.551))
    assert (facts["errors"], facts["fewest"], facts["most"]) == (None, None, None)


@pytest.mark.parametrize("missing", ["clips", "test_fraction", "claims"])
def test_without_what_it_takes_there_is_no_arithmetic(missing):
    paper = MAIN.published.model_copy(update={missing: [] if missing == "claims" else None})
    assert explain_published(MAIN.model_copy(update={"published": paper})) is None
    assert explain_published(MAIN.model_copy(update={"published": None})) is None
