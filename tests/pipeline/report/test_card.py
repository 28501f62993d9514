import pytest

from pipeline.evaluation.results import Results
from pipeline.report import report
from pipeline.report.card import card_name


@pytest.fixture(scope="module")
def card(line):
    report.make(line.workspace, line.study, line.params)
    return (line.workspace.report / card_name("convlstm")).read_text()


def test_the_card_holds_the_figures_and_the_notice(line, card):
    results = Results.read(line.workspace.evaluation)
    clean = results.headline(results.first(line.study, leaky=False))
    assert "Not a medical device" in card
    assert "synthetic" in card
    assert f"| {clean['n_test']} clips | {clean['n_people']} |" in card
    assert all(f"| {tone} |" in card for tone in clean["by_skin_tone"])
    assert "{" not in card
    assert "\n\n\n" not in card


def test_a_model_has_a_card_of_its_own_tasks(ward):
    report.make(ward.workspace, ward.study, ward.params)
    cards = {path.name: path.read_text() for path in ward.workspace.report.glob("*.md")}
    assert set(cards) == {"model-card-convlstm.md", "model-card-cnn3d.md"}
    assert "| kind | weak, well |" in cards["model-card-convlstm.md"]
    assert "kind | weak" not in cards["model-card-cnn3d.md"]
    assert "| diagnosis | folds 3 |" in cards["model-card-cnn3d.md"]
    assert "| 5 | 9 n < 10 | 50.0 | 30.0 to 70.0 |" in cards["model-card-convlstm.md"]
    assert "every class of kind is a finding" in cards["model-card-convlstm.md"]
