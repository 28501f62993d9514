"""The mood page in a real browser, before a camera that shows a rendered clip."""

import csv
import json
import time

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

MOODS = ("negative", "positive")
SIDE = 256
HELD = 4  # seconds that each mood is shown
FAKE = "--use-fake-device-for-media-stream"


@pytest.fixture(scope="session")
def film(tmp_path_factory, request):
    """A Y4M film: one person, negative, then positive, over and over."""
    path = tmp_path_factory.mktemp("film") / "moods.y4m"
    frames = []
    for mood in MOODS:
        picture = np.asarray(Image.open(request.config.rootpath / f"tests/data/web/{mood}.png"))
        large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        frames += [large] * (HELD * 5)
    writer = imageio_ffmpeg.write_frames(
        path, (SIDE, SIDE), fps=5, codec="wrapped_avframe", pix_fmt_out="yuv420p",
        output_params=["-f", "yuv4mpegpipe"], macro_block_size=2,
    )  # fmt: skip
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    return path


@pytest.fixture(scope="session")
def camera(film):
    """Flags of a browser whose camera shows the film; permission is asked for, as by a person."""
    return (FAKE, f"--use-file-for-fake-video-capture={film}")


@pytest.fixture
def watched(visiting, camera):
    """A page that may open the camera."""
    with visiting("mood", *camera, permissions=["camera"], accept_downloads=True) as visit:
        yield visit, visit.open("mood.html")


def kept(page):
    return page.evaluate("JSON.parse(localStorage.getItem('pallor-sessions') ?? '[]')")


def looked(page, least):
    """Wait until the session holds `least` looks; what is kept."""
    page.wait_for_function(
        "(least) => (JSON.parse(localStorage.getItem('pallor-sessions') ?? '[]')"
        ".at(-1)?.looks.length ?? 0) >= least",
        arg=least, timeout=60_000,
    )  # fmt: skip
    return kept(page)[-1]


def test_nothing_is_opened_before_a_person_says_so(watched):
    _, page = watched
    assert page.is_visible("#ask")
    assert not page.is_visible("#light")
    assert page.evaluate("document.querySelector('#camera').srcObject") is None


def test_a_refusal_is_taken_kindly(visiting, camera):
    with visiting("mood", *camera, "--deny-permission-prompts") as visit:
        page = visit.open("mood.html")
        page.click("#open")
        page.wait_for_selector("#status[data-kind=bad]")
        assert "stays closed" in page.inner_text("#status")
        assert not page.is_visible("#light")
        page.fill("#words", "a wonderful day")
        assert "wonderful" in page.inner_text("#words-found")


def test_the_light_is_on_while_the_camera_is_and_the_line_follows_the_mood(watched):
    _, page = watched
    page.click("#open")
    page.wait_for_selector("#light", state="visible")
    assert "Camera opened" in page.inner_text("#light")
    assert page.inner_text("#status") == "Camera opened"
    page.click("text=I feel calm.")
    page.locator("fieldset", has_text="calm").locator("label", has_text="3").click()
    session = looked(page, 4 * HELD)
    labels = session["labels"]
    negative, positive = (
        np.array([look["face"][labels.index(mood)] for look in session["looks"]]) for mood in MOODS
    )
    lean = positive - negative
    assert lean.max() > 0.2 > -0.2 > lean.min()
    assert page.locator("#timeline path.line").count() == len(labels)
    assert page.inner_text("#seen") == "The face is seen well."
    assert session["answers"] == {"calm": "3"}
    page.click("#stop")
    assert not page.is_visible("#light")
    assert page.evaluate("document.querySelector('#camera').srcObject") is None
    count = len(kept(page)[-1]["looks"])
    page.wait_for_timeout(1200)
    assert len(kept(page)[-1]["looks"]) == count


def test_words_and_face_are_fused(watched):
    _, page = watched
    page.click("#open")
    page.fill("#words", "I am happy, this was a wonderful and lovely day. Good news!")
    looked(page, 2)
    page.click("#stop")
    look = kept(page)[-1]["looks"][-1]
    labels = kept(page)[-1]["labels"]
    place = labels.index("positive")
    assert sum(look["together"]) == pytest.approx(1)
    assert "happy" not in json.dumps(kept(page))
    if look["face"][place] < 0.4:
        assert look["together"][place] > look["face"][place]


def test_what_is_kept_is_shown_exported_and_deleted_with_one_click(watched):
    _, page = watched
    page.click("#open")
    looked(page, 2)
    page.click("#stop")
    assert page.locator("#history tbody tr").count() == 1
    session = kept(page)[0]
    assert set(session) == {"started", "study", "labels", "looks", "answers"}
    assert set(session["looks"][0]) == {"second", "face", "together"}
    with page.expect_download() as download:
        page.click("#export-json")
    with open(download.value.path()) as stream:
        assert json.load(stream) == kept(page)
    with page.expect_download() as download:
        page.click("#export-csv")
    with open(download.value.path(), newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(session["looks"])
    assert float(rows[0]["face_positive"]) == pytest.approx(
        session["looks"][0]["face"][session["labels"].index("positive")], abs=1e-4
    )
    page.click("#delete")
    assert kept(page) == []
    assert page.is_visible("#history-empty")
    assert page.evaluate("localStorage.length") == 0


def test_it_works_without_a_network_after_the_first_visit(watched):
    visit, page = watched
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    deadline = time.monotonic() + 30
    while not page.evaluate("caches.match('study/mood.onnx').then(Boolean)"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)
    visit.context.set_offline(True)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", timeout=30_000)
    page.click("#open")
    assert looked(page, 1)["looks"]
    page.click("#stop")
    visit.context.set_offline(False)
