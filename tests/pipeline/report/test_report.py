import re
import shutil
from dataclasses import replace

import cv2
import pytest

from pipeline.errors import StageError
from pipeline.files import read_json
from pipeline.report.report import count, explain_published, percent, terminal_summary, write_report


@pytest.fixture(scope="module")
def written(line, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report(line.inputs, out / "report", out / "docs" / "sheet.png")
    return out


@pytest.fixture(scope="module")
def page(written):
    return (written / "report" / "index.html").read_text()


def test_the_counts_add_up(line, written):
    counts = read_json(line.inputs.metrics / "counts.json")
    assert counts == count(line.inputs, line.plan)
    assert (counts["planned"], counts["avatar_clips"], counts["transferred_clips"]) == (46, 40, 6)
    assert counts["clips"] == counts["kept"] + counts["quarantined"] == 46
    assert counts["quarantine_reasons"] == {"blurred": 1}
    assert counts["cropped"] == 46  # blurred is judged on the crop


def test_a_clip_not_made_is_not_counted(line, tmp_path):
    shutil.copytree(line.inputs.clips, tmp_path / "clips")
    (tmp_path / "clips" / f"{line.plan.clips[0].clip_id}.mp4").unlink()
    counts = count(replace(line.inputs, clips=tmp_path / "clips"), line.plan)
    assert counts["avatar_clips"] == 39


def test_the_page_needs_nothing_else(page):
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "url(" not in page
    assert "<script" not in page
    assert page.count("data:image/png;base64,") == 6


def test_the_page_says_what_it_must(line, page):
    evaluation = read_json(line.inputs.metrics / "evaluation.json")
    assert "Not a medical device" in page
    assert "99.89 per cent" in page
    assert f"{percent(evaluation['clean']['accuracy'])} %" in page
    assert "1 blurred" in page
    assert "{{" not in page


def test_the_card_holds_the_figures_and_the_notice(line, written):
    card = (written / "report" / "model-card.md").read_text()
    clean = read_json(line.inputs.metrics / "evaluation.json")["clean"]
    assert "Not a medical device" in card
    assert f"| clean | clip | {clean['n_test']} | {clean['n_people']} |" in card
    assert all(f"| skin tone | {tone} |" in card for tone in clean["by_skin_tone"])
    assert "{" not in card


def test_the_sheet_is_a_picture(written):
    assert cv2.imread(str(written / "docs" / "sheet.png")).shape[2] == 3


def test_the_same_inputs_give_the_same_page(line, written, tmp_path):
    write_report(line.inputs, tmp_path / "report", tmp_path / "sheet.png")
    for one, other in (("report/index.html", "report/index.html"), ("docs/sheet.png", "sheet.png")):
        assert (written / one).read_bytes() == (tmp_path / other).read_bytes()


def test_the_terminal_shows_counts_and_both_tables(line, written):
    text = terminal_summary(line.inputs.metrics)
    assert "46 clips: 40 avatars, 6 transferred; 45 kept, 1 quarantined (1 blurred)" in text
    assert "published protocol (leaky): 8 groups of people on both sides" in text
    assert "clean protocol: 0 groups of people on both sides" in text
    assert len(re.findall(r"^\* (window|clip)", text, re.M)) == 2
    assert (
        len(re.findall(r"^  told without the display: .*identity .* chance 20.0$", text, re.M)) == 2
    )


def test_a_missing_input_is_said(line, tmp_path):
    with pytest.raises(StageError, match="is missing"):
        write_report(replace(line.inputs, metrics=tmp_path), tmp_path / "out", tmp_path / "s.png")


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "100"), (0.9996, "99.9"), (0.5, "50.0"), (0.0, "0.0"), (None, "-")]
)
def test_only_all_is_a_hundred(value, text):
    assert percent(value) == text


def test_the_published_figure_needs_hundreds_of_units():
    facts = explain_published()
    assert facts["test_clips"] == 26
    assert percent(facts["one_error"]) == "96.2"
    assert (facts["fewest"], facts["most"]) == (870, 952)
    assert round(1 - 1 / facts["fewest"], 4) == round(1 - 1 / facts["most"], 4) == 0.9989
