"""A small corpus to look through: drawn films, real truth of units, answers half of them wrong.

And a server of the real kind over it, and a browser that looks.
"""

import importlib.util
import shutil
import socket
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from starlette.testclient import TestClient

from avatars.clip import ClipSpec, perform
from avatars.conditions import Condition, execute
from avatars.identity import Identity
from avatars.scene import Scene
from avatars.units import UNITS
from flows.look import Shown, application
from models import Classifier, build
from pipeline.corpus.planned import read_plan
from pipeline.lineage.corpus import Place
from pipeline.lineage.explain import Scope
from pipeline.lineage.index import open_index
from pipeline.splits.tables import read_tracks
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "drawn", ROOT / "tests" / "pipeline" / "lineage" / "conftest.py"
)
drawn = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drawn)

STUDY = drawn.STUDY | {
    "title": "Toy of displays",
    "arms": [
        {"label": "FD1", "cohorts": ["cast"], "expressions": ["FD1"]},
        {"label": "FD2-L", "cohorts": ["cast"], "expressions": ["FD2-L"], "conditions": [
            {"kind": "palsy", "severity": [0.4, 1.0], "drawn_per": "clip"}]},
    ],
}  # fmt: skip


def make(root: Path, values=STUDY) -> None:
    """The corpus below `root`, without git and DVC."""
    drawn.make_files(root, values)
    files = Workspace(STUDY["name"], root)
    for clip in read_plan(files.plan).clips:
        np.savez(files.clips / f"{clip.clip_id}.npz", **truth(clip))
    for track in read_tracks(files.faces):  # whole frames are the crops: 48 px, as the study asks
        folder = files.clips if track.kind == "avatar" else files.transferred
        shutil.copyfile(folder / f"{track.clip_id}.mp4", files.faces / f"{track.clip_id}.mp4")
    network = build("framecnn", classes=2, channels=1, size=48, frames=4, parameters={"width": 4})
    model = Classifier("framecnn", network.eval(), ("FD1", "FD2-L"), 4)
    model.save(files.model("display", "convlstm", "clean"))


def truth(clip) -> dict[str, np.ndarray]:
    """Units as the face performs them, and landmarks on a circle."""
    conditions = tuple(Condition.parse(row) for row in clip.conditions)
    spec = ClipSpec(
        Identity.parse(clip.identity), clip.expression, Scene.parse(clip.scene), clip.seed,
        clip.frames, clip.fps, clip.size, clip.samples, conditions,
    )  # fmt: skip
    intended = perform(spec).intended
    angles = np.linspace(0, 2 * np.pi, 68)
    points = 24 + 12 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return {
        "units": np.array(list(UNITS)),
        "intended": intended.astype(np.float32),
        "executed": execute(conditions, intended, clip.fps).astype(np.float32),
        "landmarks_px": np.repeat(points[None], clip.frames, axis=0).astype(np.float32),
        "landmarks_visible": np.ones((clip.frames, 68), bool),
    }


@contextmanager
def looked_through(files, home, cache=None):
    """The application over a workspace; DVC's cache is its own."""
    study = open_study(files)
    with closing(open_index(files, study, home / "i.duckdb")) as index:
        place = Place(files.root, home, cache or files.root / ".dvc/cache", {})
        yield application(Shown(Scope(index, place, study), home))


@contextmanager
def serving(app):
    """The address of a server of the real kind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join()


@contextmanager
def chromium_of(playwright, program):
    """A browser that plays what nobody clicked."""
    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    opened = playwright.chromium.launch(executable_path=program, headless=True, args=flags)
    yield opened
    opened.close()


def visits(browser, address):
    """`with visit(path, **of the context) as page`; no page may fail or ask another host."""

    @contextmanager
    def opened(path, **context):
        inside = browser.new_context(**context)
        page = inside.new_page()
        failed, outside = [], []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("request", lambda asked: outside.append(asked.url))
        page.goto(f"{address}/{path}")
        page.wait_for_selector("html[data-ready=yes]")
        try:
            yield page
        finally:
            inside.close()
        assert failed == []
        assert [url for url in outside if not url.startswith((address, "blob:"))] == []

    return opened


def until(page, expression):
    """Wait until it holds; the pages' policy lets nothing evaluate text inside of them."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        time.sleep(0.05)
    pytest.fail(f"never came true: {expression}")


def violations(page, axe):
    """What axe finds on a page, by day and by night."""
    page.wait_for_load_state("networkidle")
    page.evaluate(axe)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules = page.evaluate("axe.run()")["violations"]
        found += [(scheme, r["id"], [node["html"] for node in r["nodes"]]) for r in rules]
    return found


@pytest.fixture(scope="module")
def app(files, tmp_path_factory):
    """`pallor view` over the `files` of the test file that takes this fixture over."""
    with looked_through(files, tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture(scope="module")
def client(app):
    """A client of the server without a socket."""
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def visit(app, playwright, chromium):
    """How Chromium opens a page of the server."""
    with serving(app) as address, chromium_of(playwright, chromium) as browser:
        yield visits(browser, address)
