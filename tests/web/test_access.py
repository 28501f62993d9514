"""Everyone can use the pages: axe finds nothing serious, the keyboard reaches all, words change."""

import pytest


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visiting, axe, scheme):
    with visiting("mood", color_scheme=scheme, reduced_motion="reduce") as visit:
        for name in ("index.html", "upload.html", "mood.html"):
            page = visit.open(name)
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            serious = [
                (rule["id"], [node["html"] for node in rule["nodes"]])
                for rule in found
                if rule["impact"] in ("serious", "critical")
            ]
            assert serious == [], name


def test_the_keyboard_reaches_what_can_be_done(visiting):
    with visiting("mood") as visit:
        page = visit.open("mood.html")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reached = set()
        for _ in range(16):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id || document.activeElement.name"))
        assert {"open", "language", "rested", "calm", "words"} <= reached


def test_the_pages_speak_german(visiting):
    with visiting("mood", locale="de-DE") as visit:
        page = visit.open("mood.html")
        assert page.inner_text("h1") == "Stimmung beim Antworten"
        assert page.get_attribute("html", "lang") == "de"
        page.select_option("#language", "en")
        page.wait_for_selector("html[lang=en]")
        assert page.inner_text("h1") == "Mood while you answer"


@pytest.mark.parametrize("name", ["index.html", "upload.html", "mood.html"])
def test_nothing_is_cut_off_on_a_phone(visiting, name):
    with visiting("mood", viewport={"width": 360, "height": 740}) as visit:
        page = visit.open(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
