"""A clip beside another version of itself: what the server answers, and the page in Chromium."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from pipeline.corpus.planned import read_plan
from pipeline.media.video import read_clip, write_clip
from pipeline.workspace import Workspace

SPEC = importlib.util.spec_from_file_location("looked", Path(__file__).with_name("looked.py"))
looked = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(looked)
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name of a tree without files


@pytest.fixture(scope="module")
def made(made_once, tmp_path_factory):
    """A version in git and DVC; since then the third frame of one clip was turned about."""

    def make(at):
        looked.drawn.committed(at / "template", looked.STUDY, make=looked.make)

    root = tmp_path_factory.mktemp("versions") / "w"
    shutil.copytree(made_once("versions", make) / "template", root, symlinks=True)
    made = looked.drawn.Made(root, looked.drawn.place_of(root))
    files = Workspace(looked.STUDY["name"], root)
    film = files.clips / f"{clips(files)[0].clip_id}.mp4"
    frames = read_clip(film)
    frames[2] = 255 - frames[2]
    write_clip(film, frames, 4)
    return made


def clips(files):
    return read_plan(files.plan).clips


@pytest.fixture(scope="module")
def files(made):
    return Workspace(looked.STUDY["name"], made.root)


app, client, visit = looked.app, looked.client, looked.visit  # of the file's own `files`


def test_a_clip_of_a_revision_has_its_own_film_truth_and_facts(client, files):
    clip = clips(files)[0]
    here = client.get(f"/api/clip/{clip.clip_id}").json()
    there = client.get(f"/api/clip/{clip.clip_id}?revision=HEAD").json()
    assert there["clip"]["version"].endswith("The corpus")
    same = [name for name in there["clip"] if name in here["clip"]]
    assert {n: there["clip"][n] for n in same} == {n: here["clip"][n] for n in same}
    assert there["truth"] == here["truth"]
    assert there["conditions"] == here["conditions"]
    assert there["film"] == here["film"]
    strips = [client.get(f"/strip/{clip.clip_id}.webp{asked}").content
              for asked in ("", "?revision=HEAD", "?revision=main")]  # fmt: skip
    assert strips[0] != strips[1] == strips[2]
    assert client.get(f"/api/clip/{clip.key}?revision=HEAD").json() == there


def test_a_transferred_clip_is_found_by_its_portrait(client, files):
    row = read_plan(files.plan).transfers[0]
    here = client.get(f"/api/clip/{row.clip_id}").json()
    there = client.get(f"/api/clip/{row.clip_id}?revision=HEAD").json()
    assert there["clip"]["id"] == row.clip_id
    assert there["truth"] == here["truth"]
    assert there["film"] == here["film"]


def test_versions_are_the_commits_that_changed_the_corpus(client):
    [row] = client.get("/api/versions").json()
    assert row["said"].endswith("The corpus")
    assert row["said"].startswith(row["revision"][:7])


def test_what_no_revision_holds_is_one_sentence(client, files, made):
    name = clips(files)[0].clip_id
    empty = made.run("git", "commit-tree", NOTHING, "-m", "nothing").strip()
    for asked, sentence in {
        f"{name}?revision=nosuch": "'nosuch' is no revision of this clone; see `git log`",
        f"{name}?revision=--all": "'--all' is no revision of this clone; see `git log`",
        f"{name}?revision={empty}": f"has no clip under the key '{clips(files)[0].key}'",
        "clip-nobody?revision=HEAD": "'clip-nobody' is in no table of this corpus",
    }.items():
        answer = client.get(f"/api/clip/{asked}")
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]


def test_a_film_that_is_in_no_cache_is_one_sentence(files, tmp_path):
    name = clips(files)[0].clip_id
    with looked.looked_through(files, tmp_path, tmp_path / "cache") as app:
        client = TestClient(app, base_url="http://127.0.0.1")
        about = client.get(f"/api/clip/{name}?revision=HEAD").json()
        gone = client.get(f"/strip/{name}.webp?revision=HEAD")
    assert f"the film of {clips(files)[0].key} of " in about["film"]["error"]
    assert "is not at hand; `dvc fetch --all-commits` brings it" in about["truth"]["error"]
    assert gone.status_code == 404
    assert gone.json()["error"] == about["film"]["error"]


def test_a_corpus_without_git_says_so(made, tmp_path):
    root = tmp_path / "w"
    shutil.copytree(made.root, root, ignore=shutil.ignore_patterns(".git"))
    files = Workspace(looked.STUDY["name"], root)
    with looked.looked_through(files, tmp_path) as app:
        client = TestClient(app, base_url="http://127.0.0.1")
        for asked in ("versions", f"clip/{clips(files)[0].clip_id}?revision=HEAD"):
            answer = client.get(f"/api/{asked}")
            assert answer.status_code == 400
            assert "git keeps no versions of" in answer.json()["error"]


def test_from_a_clip_to_the_difference_of_its_versions(visit, files, axe):
    changed, same = (clip.clip_id for clip in clips(files)[:2])
    with visit(f"clip.html?id={changed}", reduced_motion="reduce") as page:
        page.wait_for_selector("#revision option", state="attached")
        page.eval_on_selector("#revision", "it => it.append(new Option('long '.repeat(60)))")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#versions button")
        page.wait_for_selector("#stage canvas >> nth=2")
        captions = page.locator("#stage figcaption").all_inner_texts()
        assert captions[0].endswith("The corpus")
        assert captions[1].endswith("the workspace")
        assert captions[2].startswith("Difference, frame 2 the most:")
        page.focus("#player input")
        page.keyboard.press("Home")
        assert max(levels(page)) == 0
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        after = read_clip(files.clips / f"{changed}.mp4")[2].astype(int)
        apart = np.abs(255 - 2 * after)
        drawn = np.array(levels(page)).reshape(48, 48, 3)
        assert np.abs(drawn - 255 * apart / apart.max()).max() <= 1
        assert looked.violations(page, axe) == []
    phone = {"width": 360, "height": 740}
    with visit(f"compare.html?a={same}@HEAD&b={same}", viewport=phone) as page:
        page.wait_for_selector("text=No difference: every pixel of every frame is the same")
        page.wait_for_selector("text=Nothing that the plan says of them.")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def levels(page):
    """Red, green and blue of what the difference's canvas shows."""
    found = page.evaluate(
        "[...document.querySelector('.pixels').getContext('2d').getImageData(0, 0, 48, 48).data]"
    )
    return [level for place, level in enumerate(found) if place % 4 < 3]


def test_the_page_says_what_cannot_be_compared(visit, files):
    name = clips(files)[0].clip_id
    with visit(f"compare.html?a={name}@nosuch&b={name}") as page:
        assert "'nosuch' is no revision of this clone" in page.inner_text("#status")
