"""The upload page in a real browser: what people choose, and what they are told."""

import csv
import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, coffee

from pipeline.media.film import write_film
from pipeline.media.video import read_clip


@pytest.fixture(scope="module")
def album(tmp_path_factory, request):
    """A folder of what a person may choose."""
    folder = tmp_path_factory.mktemp("album")
    root = request.config.rootpath
    turn = read_clip(root / "tests/data/faces/turn.mp4")
    for name in ("palsy", "healthy"):
        (folder / f"{name}.png").write_bytes((root / f"tests/data/web/{name}.png").read_bytes())
    save = {
        "turned.png": turn[8], "landscape.jpg": coffee(), "portrait.jpg": astronaut(),
        "two.png": np.concatenate([turn[0], turn[0]], axis=1),
        "dark.png": (astronaut() * 0.1).astype(np.uint8),
        "large.jpg": cv2.resize(astronaut()[:400, 60:360], (6124, 8165)),
    }  # fmt: skip
    for name, picture in save.items():
        Image.fromarray(picture).save(folder / name)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    lying = Image.fromarray(np.rot90(astronaut()))
    lying.save(folder / "lying.jpg", exif=exif, quality=95)
    frames = [Image.fromarray(frame) for frame in turn[:4]]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=200)
    (folder / "text.jpg").write_text("no picture at all")
    write_film(folder / "film.mp4", turn, 8)
    return folder


@pytest.fixture(scope="module")
def visit(visiting):
    with visiting("synkinesis", accept_downloads=True) as visit:
        yield visit


@pytest.fixture(scope="module")
def opened(visit):
    return visit.open("upload.html")


@pytest.fixture
def page(opened):
    """The one page, cleared of the answers before."""
    if opened.is_enabled("#clear"):
        opened.click("#clear")
    return opened


@pytest.mark.parametrize("name", ["palsy.png", "healthy.png", "portrait.jpg"])
def test_a_face_gets_a_box_an_answer_and_a_map(visit, page, album, name):
    (card,) = visit.look_at(page, [album / name])
    assert re.search(r"\d+ ?%", card.locator(".verdict").inner_text())
    assert card.locator("canvas").count() == 2
    shares = [float(text.strip(" %")) for text in card.locator(".bar-value").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert card.locator(".bar-name").all_inner_texts() == ["healthy", "synkinesis"]
    assert "covering" in card.inner_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [("landscape.jpg", "No face was found"), ("two.png", "There are 2 faces"),
     ("dark.png", "too dark"), ("turned.png", "turned too far"),
     ("text.jpg", "cannot be read")],
)  # fmt: skip
def test_what_gets_no_answer_is_told_kindly(visit, page, album, name, told):
    (card,) = visit.look_at(page, [album / name])
    assert told in card.locator(".kind").inner_text()
    assert card.locator(".verdict").count() == 0


def test_a_photograph_of_fifty_megapixels_is_made_smaller_first(visit, page, album):
    (card,) = visit.look_at(page, [album / "large.jpg"])
    assert card.locator(".verdict").count() == 1
    assert "made smaller" in card.inner_text()


def test_a_photograph_that_lies_is_set_upright_by_its_note(visit, page, album):
    upright, lying = visit.look_at(page, [album / "portrait.jpg", album / "lying.jpg"])
    said = [card.locator(".bar-value").all_inner_texts() for card in (upright, lying)]
    for one, other in zip(*said, strict=True):
        assert float(one.strip("%")) == pytest.approx(float(other.strip("%")), abs=5)


def test_of_a_moving_picture_the_first_frame_is_looked_at(visit, page, album):
    (card,) = visit.look_at(page, [album / "moving.gif"])
    assert card.locator(".verdict").count() == 1
    assert "first frame" in card.inner_text()


def test_a_film_is_scored_over_time(visit, page, album):
    (card,) = visit.look_at(page, [album / "film.mp4"])
    assert card.locator("svg path.line").count() == 2
    seen, count = map(int, re.search(r"(\d+) of (\d+) frames", card.inner_text()).groups())
    assert 2 <= seen < count == 24  # the head turns away in between


def test_twenty_files_at_once_and_their_table(visit, page, album):
    names = [*sorted(path.name for path in album.iterdir() if path.name != "film.mp4")]
    names += ["healthy.png"] * (20 - len(names))
    cards = visit.look_at(page, [album / name for name in names])
    assert [card.locator("h3").inner_text() for card in cards] == names
    with page.expect_download() as download:
        page.click("#download")
    with open(download.value.path(), newline="") as stream:
        head, *rows = list(csv.reader(stream))
    assert head[:6] == ["file", "second", "task", "answer", "sure", "problem"]
    assert [row[0] for row in rows] == names
    by_name = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert by_name["landscape.jpg"]["problem"] == "none"
    assert by_name["text.jpg"]["problem"] == "unreadable"
    healthy = by_name["healthy.png"]
    assert float(healthy["negative"]) + float(healthy["positive"]) == pytest.approx(1, abs=1e-3)
    page.click("#clear")
    assert page.locator("#results > li").count() == 0


def test_a_name_that_a_spreadsheet_would_run_stays_a_name(page):
    text = page.evaluate(
        """async () => (await import("./app/table.js")).csv([["=1+1", 'a "b", c', 0.5]])"""
    )
    assert next(csv.reader(io.StringIO(text))) == ["'=1+1", 'a "b", c', "0.5"]


def test_another_category_is_another_network(visit, page, album):
    page.select_option("#task", "side")
    (card,) = visit.look_at(page, [album / "palsy.png"])
    assert [name.split()[-2] for name in card.locator(".bar-name").all_inner_texts()] == [
        "left", "right",
    ]  # fmt: skip
