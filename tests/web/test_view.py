"""`pallor view`: what the server answers, and its pages in a real Chromium."""

import importlib.util
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from pipeline.files import read_jsonl
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("looked", Path(__file__).with_name("looked.py"))
looked = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(looked)
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def template(made_once):
    return made_once("looked", looked.make)


@pytest.fixture(scope="module")
def files(template, tmp_path_factory):
    """A corpus of one's own; one film is gone."""
    root = tmp_path_factory.mktemp("view") / "w"
    shutil.copytree(template, root)
    (root / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    files = Workspace(looked.STUDY["name"], root)
    (files.clips / f"{lost(files)}.mp4").unlink()
    return files


def lost(files):
    """The clip whose film is gone."""
    return sorted(row["clip_id"] for row in plan(files, "clip"))[-1]


def plan(files, kind):
    return [row for row in read_jsonl(files.plan) if row["kind"] == kind]


app, client, visit = looked.app, looked.client, looked.visit  # of the file's own `files`


def test_a_page_holds_what_fits_in_its_order(client, files):
    everyone = client.get("/api/clips?size=3&page=2").json()
    planned = sorted(row["clip_id"] for row in plan(files, "clip") + plan(files, "transfer"))
    assert everyone["total"] == len(planned)
    assert [row["id"] for row in everyone["clips"]] == planned[3:6]
    ill = client.get("/api/clips?condition=palsy&severity=0.5:&kind=avatar").json()
    severe = [row for row in plan(files, "clip") if row["conditions"]
              and row["conditions"][0]["severity"] >= 0.5]  # fmt: skip
    assert {row["id"] for row in ill["clips"]} == {row["clip_id"] for row in severe}
    errors = [row["error"] for row in client.get("/api/clips?order=worst").json()["clips"]]
    known = [error for error in errors if error is not None]
    assert known == sorted(known, reverse=True)
    assert errors == known + [None] * (len(errors) - len(known))


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("clips?sexx=female", "'sexx' is no attribute of a clip; the nearest is 'sex'"),
        ("clips?label=FD3", "'FD3' is no label of this corpus; the nearest is 'FD1'"),
        ("clips?order=wrost", "'wrost' is no order of clips; the nearest is 'worst'"),
        ("clips?page=0", "page 0 of 24 clips is none"),
        ("clips?size=many", "'many' is no size; give a whole number"),
        ("clip/clip-nobody", "'clip-nobody' is in no table of this corpus"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(client, question, sentence):
    answer = client.get(f"/api/{question}")
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


def test_a_clip_stands_beside_its_driver_its_portrait_and_nobody_of_the_other_side(client, files):
    row = plan(files, "transfer")[0]
    about = client.get(f"/api/clip/{row['clip_id']}").json()
    assert about["beside"]["driver"]["id"] == row["driving_clip_id"]
    assert about["beside"]["portrait"]["id"] == row["portrait_id"]
    assert about["beside"]["draw"] == "clean"
    assert about["beside"]["same"]["count"] == 0
    assert about["truth"]["own"] is False
    assert "landmarks_px" not in about["truth"]
    assert len(about["boxes"]) == about["film"]["frames"] == 8
    assert client.get(f"/portrait/{row['portrait_id']}.png").status_code == 200


def test_a_film_that_is_gone_says_what_brings_it_back(client, files):
    gone = lost(files)
    about = client.get(f"/api/clip/{gone}").json()
    assert f"{gone}.mp4 is missing; `dvc checkout`" in about["film"]["error"]
    for picture in (f"twin/{gone}.mp4", f"strip/{gone}.webp", f"still/{gone}.webp"):
        answer = client.get(f"/{picture}")
        assert answer.status_code == 404
        assert "is gone; `dvc checkout` or `pallor run`" in answer.json()["error"]


def test_a_twin_is_sent_in_parts_and_nothing_can_be_changed(client, files):
    name = plan(files, "clip")[0]["clip_id"]
    part = client.get(f"/twin/{name}.mp4", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert part.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self';"
    )
    assert client.post("/api/clips").status_code == 405
    assert client.get("/", headers={"Host": "attacker.example"}).status_code == 400
    assert client.get("/../flows/look.py").status_code == 404


@pytest.mark.parametrize(
    "path", sorted((ROOT / "web" / "look").glob("*.html")), ids=lambda p: p.name
)
def test_pages_hold_no_inline_code(path):
    text = path.read_text()
    assert "<script>" not in text
    assert "<style" not in text
    assert " style=" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_a_busy_port_is_refused_with_the_next(files):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "flows.cli", "view", "--port", port], cwd=ROOT,
            capture_output=True, text=True,
        )  # fmt: skip
    assert run.returncode == 2
    assert f"port {port} is in use by another program; `--port " in run.stderr


def test_a_study_without_a_plan_is_one_sentence(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    assert main(["view", "--study", "mood", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert "data/mood/plan.jsonl is missing" in said
    assert "pallor run --study mood" in said


def test_filters_stand_in_the_address_and_narrow_the_grid(visit, files):
    with visit("") as page:
        whole = page.locator(".clip").count()
        page.select_option("select[name=condition]", "palsy")
        looked.until(page, f"document.querySelectorAll('.clip').length < {whole}")
        assert "condition=palsy" in page.url
        few = page.locator(".clip").count()
        page.reload()
        page.wait_for_selector("html[data-ready=yes]")
        assert page.locator(".clip").count() == few
        assert page.input_value("select[name=condition]") == "palsy"
        page.click("text=Clear filters")
        looked.until(page, f"document.querySelectorAll('.clip').length == {whole}")
        gone = page.locator(f".clip[data-id={lost(files)}]").inner_text()
        assert "the film is gone; `dvc checkout` or `pallor run` brings it back" in gone
        assert "The corpus is half made" in page.inner_text("#half")
    with visit("?lable=FD1") as page:
        assert "'lable' is no attribute of a clip; the nearest is 'label'" in page.inner_text(
            "#status"
        )


def test_a_twin_plays_where_one_points_or_tabs(visit):
    with visit("?kind=transfer") as page:
        page.locator(".clip a").first.focus()
        looked.until(page, "document.querySelector('.clip video').currentTime > 0")
        page.locator(".clip a").nth(1).focus()
        looked.until(page, "document.querySelector('.clip video').paused")


def test_a_browser_that_cannot_play_says_so(visit):
    spoil = "document.querySelector('.clip video').dispatchEvent(new Event('error'))"
    with visit("?kind=transfer") as page:
        page.evaluate(spoil)
        page.wait_for_selector(".clip .gone >> text=cannot play H.264")


def test_an_order_by_errors_that_nobody_has_says_so(visit):
    said = "No model was tested on them, so they stand by id."
    with visit("?side=clean:train&order=worst") as page:
        assert said in page.inner_text("#status")
    with visit("?order=worst") as page:
        assert said not in page.inner_text("#status")


def test_from_the_worst_to_its_driver_by_keyboard(visit):
    with visit("?kind=transfer&order=worst") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator(".clip a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#units figure")
        assert page.locator("#answers td .tag").count() > 0
        assert "None: nobody in it stands on both sides." in page.inner_text("#beside")
        page.focus("#player input")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#player output").startswith("frame 1 of 7")
        page.wait_for_selector("#lineage .self")
        page.click("text=Compare with it")
        page.wait_for_selector("#stage canvas >> nth=1")
        page.wait_for_selector("#facts tbody tr")
        assert page.locator("#units figure").count() > 0


def test_what_decided_is_asked_and_shown(visit, client, files):
    name = plan(files, "transfer")[0]["clip_id"]
    found = client.get(f"/api/why/{name}").json()
    assert (len(found["frames"]), len(found["parts"]), len(found["parts"][0])) == (8, 8, 8)
    assert found["draw"] == "clean"
    with visit(f"clip.html?id={name}") as page:
        page.click("#ask-why")
        page.wait_for_selector("#why canvas")
        assert found["sentence"] in page.inner_text("#why")
        assert page.locator("#why meter").count() == 8
    lost = client.get("/api/clips?status=quarantined").json()["clips"][0]["id"]
    assert "has no window in the draw" in client.get(f"/api/why/{lost}").json()["error"]


def test_landmarks_are_drawn_and_taken_away(visit, files):
    name = plan(files, "clip")[0]["clip_id"]
    shown = "document.querySelector('#whole canvas').toDataURL()"
    with visit(f"clip.html?id={name}", reduced_motion="reduce") as page:
        page.wait_for_selector("#player input")
        drawn = page.evaluate(shown)
        page.uncheck("#marks")
        assert page.evaluate(shown) != drawn


def test_two_ticked_clips_can_be_compared(visit):
    with visit("") as page:
        page.locator(".clip input").nth(0).check()
        assert page.is_visible("text=choose a second clip")
        page.locator(".clip input").nth(1).check()
        page.click("#pair-go")
        page.wait_for_selector("#facts tbody tr")
        assert page.locator("#stage canvas").count() == 2


def paths(files):
    names = [row["clip_id"] for row in plan(files, "transfer")[:2]]
    return ["", f"clip.html?id={names[0]}", f"compare.html?a={names[0]}&b={names[1]}"]


def test_axe_finds_nothing_at_all(visit, axe, files):
    for path in paths(files):
        with visit(path, reduced_motion="reduce") as page:
            assert looked.violations(page, axe) == [], path


def test_nothing_is_cut_off_on_a_phone(visit, files):
    for path in paths(files):
        with visit(path, viewport=PHONE) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
