import jinja2
import pytest

from pipeline.report import templates
from pipeline.report.templates import counted, fill, interval, listed, percent, spoken, told


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "100"), (0.9996, "99.9"), (0.5, "50.0"), (0.0, "0.0"), (None, "-")]
)
def test_only_all_is_a_hundred(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.9989, "99.89"), (0.998, "99.8"), (0.75, "75")])
def test_a_reported_share_keeps_its_digits(value, text):
    assert told(value) == text


def test_words():
    assert [counted(n, "person") for n in (1, 2)] == ["1 person", "2 people"]
    assert counted(0, "clip") == "0 clips"
    assert interval([0.5, 1.0]) == "50.0 to 100"
    assert interval(None) == "-"
    assert listed({"a": 1, "b": 2}) == "a 1, b 2"
    assert spoken("first_frame") == "first frame"


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setattr(templates, "ROOMS", tmp_path)
    templates._environment.cache_clear()
    yield tmp_path
    templates._environment.cache_clear()


def test_pages_are_escaped_and_other_text_is_not(room):
    for name in ("page.html.j2", "card.md.j2"):
        (room / name).write_text("{{ it }}\n")
    assert fill(room / "page.html.j2", {"it": "<b>"}) == "&lt;b&gt;\n"
    assert fill(room / "card.md.j2", {"it": "<b>"}) == "<b>\n"


def test_a_hole_is_refused(room):
    (room / "card.md.j2").write_text("{{ it }}\n")
    with pytest.raises(jinja2.UndefinedError):
        fill(room / "card.md.j2", {})
