import re
from itertools import pairwise

import pytest
import yaml

from pipeline.exports.cards import facts, write_card, write_datasheet
from pipeline.exports.huggingface import configurations
from pipeline.exports.tables import clip_rows
from pipeline.exports.words import FORBIDDEN, NOTICE, RETENTION, Words

SECTIONS = (  # Gebru et al. 2021
    "Motivation", "Composition", "Collection process", "Preprocessing, cleaning, labelling",
    "Uses", "Distribution", "Maintenance",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows(source):
    return clip_rows(source)


@pytest.fixture
def card(source, rows, tmp_path):
    write_card(source, rows, tmp_path)
    return (tmp_path / "README.md").read_text()


@pytest.fixture
def sheet(source, rows, tmp_path):
    write_datasheet(source, rows, tmp_path)
    return (tmp_path / "DATASHEET.md").read_text()


def head(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_the_counts_are_the_corpus_own(source, rows):
    found = facts(source, rows)
    assert (found["planned"], found["clips"], found["rejected"]["blurred"]) == (8, 7, 1)
    assert found["kinds"] == {"avatar": 5, "transfer": 2}
    assert found["labels"] == {"FD1": [2, 1], "FD2-L": [3, 1]}
    assert found["sides"] == {"FD1": [2, 1], "FD2-L": [3, 1]}
    assert (found["people"], found["drivers"]) == (5, 3)
    assert found["ages"] == {
        "40 to 59": 2, "60+": 1, "unknown": 1, "under 40": 1,
    }  # fmt: skip
    assert found["windows"]["clean"] == {"train": 15, "test": 6}
    assert found["draw"] == "clean"
    assert sum(found["licences"].values()) == 7


def test_the_sheet_has_every_section_once_and_in_order(sheet):
    assert re.findall(r"^## (.*)$", sheet, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize(
    "said",
    ["8 planned, 7 kept, 1 turned away (blurred 1)", "sex female 3, male 2", "| FD1 | 2 | 1 |",
     "| clean | 15 | 0 | 6 | 0 of 3 tested groups of people on both sides |",
     "| 1 | public domain (NASA) | NASA | public domain |",
     "| display | convlstm | clean | 75.0 | 50.0 to 100 | 90.0 | 80.0 to 100 | 4 clips |",
     "| FD2-L | FD2-L | eyes closed, lip corners down, head turned",
     "The face detector was haar"],
)  # fmt: skip
def test_the_sheet_says_what_the_manifests_say(sheet, said):
    assert said in sheet


def test_card_and_sheet_say_what_it_is_not(card, sheet, study):
    for said in (NOTICE, *FORBIDDEN, *Words(study).limits, RETENTION):
        assert said in card
        assert said in sheet


def test_the_cards_head_is_what_a_hub_reads(card):
    assert head(card)["license"] == "other"
    assert head(card)["size_categories"] == ["n<1K"]
    assert "synthetic" in head(card)["tags"]
    assert "configs" not in head(card)


def test_a_corpus_under_one_licence_names_it(source, rows, tmp_path):
    own = [row for row in rows if row["licence"] == "CC0-1.0"]
    write_card(source, own, tmp_path, configurations(own, source))
    found = head((tmp_path / "README.md").read_text())
    assert found["license"] == "cc0-1.0"
    assert "license_name" not in found
    assert [config["config_name"] for config in found["configs"]] == [
        "clips", "published", "clean",
    ]  # fmt: skip


def test_no_line_of_a_table_is_broken(card, sheet):
    for text in (card, sheet):
        lines = text.splitlines()
        for above, line in pairwise(lines):
            if above.startswith("|") and line.startswith("|"):
                assert above.count("|") == line.count("|")
        assert "\n\n\n" not in text
        assert "{{" not in text
