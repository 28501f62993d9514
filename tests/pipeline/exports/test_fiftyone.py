"""The COCO export in FiftyOne and its App, in a Python of their own (docs/exports.md)."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from pipeline.corpus.render import read_truth
from pipeline.exports.coco import write_coco

PYTHON = os.environ.get("PALLOR_FIFTYONE", "")
CHILD = Path(__file__).with_name("fiftyone_child.py")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="PALLOR_FIFTYONE names no Python with FiftyOne (docs/exports.md)"
)


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    pytest.importorskip("pycocotools")
    folder = tmp_path_factory.mktemp("coco")
    write_coco(source, folder)
    return folder


def child(folder, *more, **options):
    environment = {**os.environ, "FIFTYONE_DO_NOT_TRACK": "true"}
    command = [PYTHON, str(CHILD), str(folder), "train", *map(str, more)]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, **options)


def rows_of(run):
    """What the child printed; FiftyOne has notices of its own to print before it."""
    return json.loads(next(line for line in run.stdout if line.startswith("{")))["rows"]


def test_fiftyone_reads_pictures_keypoints_boxes_and_masks(folder, source):
    with child(folder) as run:
        rows = rows_of(run)
    assert run.returncode == 0
    by_clip = {track.clip_id: track for track in source.tracks}
    trained = [i for i, t in by_clip.items() if t.kind == "avatar" and t.identity_id[-1] != "c"]
    assert {Path(row["file"]).parent.name for row in rows} == set(trained)
    for row in rows:
        clip, number = Path(row["file"]).parent.name, int(Path(row["file"]).stem)
        truth = read_truth(source.truth(by_clip[clip]))
        points = 32 * np.array(row["points"])
        assert np.abs(points - truth["landmarks_px"][number]).max() < 0.01
        assert (np.array(row["visible"]) == 2).tolist() == truth["landmarks_visible"][
            number
        ].tolist()
        left, top = truth["landmarks_px"][number].min(axis=0)
        assert np.allclose(32 * np.array(row["boxes"]["face"][:2]), (left, top), atol=0.02)
        for place, name in ((1, "skin"), (2, "lips")):
            assert row["masks"][name] == (truth["segmentation"][number] == place).sum()


def test_the_app_fetches_and_counts_every_picture(folder):
    browser = shutil.which("chromium")
    if not browser:
        pytest.skip("no Chromium: `apt-get install chromium` lets it run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with child(folder, port) as run:
        try:
            files = {row["file"] for row in rows_of(run)}
            words, fetched = seen(browser, port, len(files))
            assert f"{len(files)} samples" in words
            assert fetched == files
        finally:
            run.terminate()


def seen(browser, port, pictures):
    """The words of the App's page and the files whose pictures it fetched, once it has so many."""
    from playwright.sync_api import sync_playwright

    until, fetched = time.monotonic() + 240, set()
    while time.monotonic() < until and not answers(port):
        time.sleep(1)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        page = opened.new_page(viewport={"width": 1200, "height": 800})
        page.on("response", lambda answer: fetched.update(file_of(answer)))
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("text=/[0-9]+ samples/", timeout=120_000)
        while time.monotonic() < until and len(fetched) < pictures:
            page.wait_for_timeout(500)
        if picture := os.environ.get("PALLOR_FIFTYONE_PICTURE"):
            page.wait_for_timeout(3_000)
            page.screenshot(path=picture)
        words = page.inner_text("body")
        opened.close()
    return words, fetched


def file_of(answer):
    """The file whose picture an answer of the App's server is; nothing else has one."""
    address = urlsplit(answer.url)
    if answer.ok and address.path == "/media":
        yield parse_qs(address.query)["filepath"][0]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
