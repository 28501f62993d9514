"""Sites over small networks, a server of the real kind, a real Chromium and what it asks for."""

import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from imageio.v3 import imread

from avatars.assets import Package, install
from flows.web import Site, server
from models import Classifier, build, load, to_grey
from pipeline.exports.page import write_site
from pipeline.exports.parts import fetch_parts
from pipeline.faces.alignment import AlignmentDetector
from pipeline.faces.crop import crop_boxes, cut
from pipeline.faces.detect import find_weights
from pipeline.media.video import read_clip
from pipeline.params import TrainParams, load_params
from pipeline.study import read_study
from pipeline.training.augment import mirror_table
from pipeline.training.fit import Lesson, Part, fit, repeatable
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "web"
# Bare, and as quiet on the network as it can be told to be.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
READY = "html[data-ready=yes]"
AXE = Package(
    name="axe-core",
    version="4.14.1",
    registry="npm",
    archive="axe-core-4.14.1.tgz",
    sha256="e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
    licence="MPL-2.0",
    members=("package/axe.min.js",),
)
MISSING = "no Chromium: `apt-get install chromium` lets the tests of the pages run"


class Visit:
    """A browser with all that its pages asked for (method, url, bytes sent) and complained of."""

    def __init__(self, context, base):
        self.context, self.base = context, base
        self.requests, self.errors = [], []
        context.on("request", self._note)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def open(self, name):
        """A page of the site, once it says that it is ready."""
        page = self.context.new_page()
        page.goto(f"{self.base}/{name}")
        page.wait_for_selector(READY, timeout=60_000)
        return page

    def look_at(self, page, files):
        """Upload files to an upload page; the cards of all answers so far."""
        page.evaluate("document.documentElement.dataset.ready = 'no'")
        page.set_input_files("#files", files)
        page.wait_for_selector(READY, timeout=60_000)
        return page.locator("#results > li").all()

    def _note(self, request):
        self.requests.append((request.method, request.url, len(request.post_data_buffer or b"")))


@pytest.fixture(scope="session")
def parts():
    """The folder of the pages' fetched parts."""
    return fetch_parts(ROOT / ".pallor")


def small(name):
    """A study whose networks are small."""
    values = yaml.safe_load((ROOT / "studies" / name / "study.yaml").read_text())
    for model in values["models"]:
        if model in ("normcnn", "lightcnn"):
            values["models"][model] = {"parameters": {"width": 4}}
    return yaml.safe_dump(values, sort_keys=False)  # the first task is the main one


def teach_nothing(workspace, study):
    """Networks of a study as they are initialised."""
    for task, model, protocol in study.trials():
        asked, view = study.tasks[task], study.input
        labels = sorted({asked.class_of(label, {}) for label in study.labels} - {None})
        with torch.random.fork_rng():
            torch.manual_seed(5)
            network = build(
                model, classes=len(labels), channels=view.channels, size=view.size,
                frames=view.frames, parameters=study.models[model].parameters,
            ).eval()  # fmt: skip
        classifier = Classifier(model, network, tuple(labels), view.frames, 0.05)
        draw = study.protocols[protocol].draws(protocol)[0]
        classifier.save(workspace.model(task, model, draw))


@pytest.fixture(scope="session")
def moody(made_once, own_faces):
    """A mini-Xception that tells the moods of one rendered person."""
    made = made_once("moody", lambda at: _teach_moods(own_faces).save(at / "moody.safetensors"))
    return load(made / "moody.safetensors")


def _teach_moods(faces):
    pictures = {mood: imread(DATA / f"{mood}.png") for mood in ("negative", "neutral", "positive")}
    turned = read_clip(ROOT / "tests/data/faces/turn.mp4")
    pictures["other"] = turned[8]
    labels = tuple(sorted(pictures))
    crops = [crop_of(pictures[label], faces, 64) for label in labels]
    windows = np.repeat(np.stack(crops)[:, None], 2, axis=1)  # neutral start and apex alike
    part = Part(np.repeat(windows, 24, axis=0), np.repeat(np.arange(4), 24))
    lesson = Lesson(part, Part(windows, np.arange(4)), mirror_table(labels, {}))
    with repeatable(3) as generator:
        network = build("minixception", classes=4, channels=1, size=64, frames=2)
        params = TrainParams(epochs=12, batch=16)
        fit(network, lesson, params, generator, lambda row: None)
    return Classifier("minixception", network.eval(), labels, 2, 1.5)


def crop_of(picture, faces, size, margin=0.1):
    """The grey crop of a picture's face, as the line cuts it."""
    return to_grey(cut(picture[None], crop_boxes(faces.find(picture)[:1], margin), size))[0]


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory, moody):
    """Name > a workspace with a study and its networks."""
    made = {}

    def workspace(name):
        if name not in made:
            root = tmp_path_factory.mktemp(name)
            found = Workspace(name, root)
            found.study_folder.mkdir(parents=True)
            found.study_file.write_text(small(name))
            teach_nothing(found, read_study(found.study_file))
            if name == "mood":
                moody.save(found.model("mood", "minixception", "clean-1"))
            made[name] = found
        return made[name]

    return workspace


@pytest.fixture(scope="session")
def serve(workspaces, parts, tmp_path_factory):
    """Name > the address of a study's pages."""
    running = {}

    def address(name):
        if name not in running:
            workspace = workspaces(name)
            study = read_study(workspace.study_file)
            home = tmp_path_factory.mktemp("home")
            site = Site(workspace, home)
            params = load_params(ROOT / "params.yaml", study.params)
            write_site(workspace, study, params, parts, site.folder)
            assert site.fresh()
            site.prepare(print)
            serving = server(site, 0)
            threading.Thread(target=serving.serve_forever, daemon=True).start()
            running[name] = serving
        return f"http://127.0.0.1:{running[name].server_port}"

    yield address
    for serving in running.values():
        serving.shutdown()
        serving.server_close()


@pytest.fixture(scope="session")
def chromium():
    """The path of Chromium."""
    found = shutil.which("chromium")
    if not found:
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="session")
def axe(parts):
    """axe-core's text, for these tests alone."""
    install([AXE], parts, print)
    return (parts / "axe-core/package/axe.min.js").read_text()


@pytest.fixture(scope="module")
def playwright(chromium):
    """The driver, one a file: while it is there, its event loop runs in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def visiting(playwright, chromium, serve, tmp_path_factory):
    """`with visiting(study, *flags, **of the context) as visit`: a browser with a new profile."""

    @contextmanager
    def visit(name, *flags, **context):
        base = serve(name)
        opened = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=chromium, headless=True,
            args=[*FLAGS, *flags], **context,
        )  # fmt: skip
        seen = Visit(opened, base)
        try:
            yield seen
        finally:
            opened.close()
        assert seen.errors == []
        outside = [
            url for _, url, _ in seen.requests if not url.startswith((base, "blob:", "data:"))
        ]
        assert outside == [], "a request left the origin"
        assert all(method == "GET" and not sent for method, _, sent in seen.requests)

    return visit


@pytest.fixture(scope="session")
def own_faces():
    """Our own BlazeFace through face-alignment, as the line runs it."""
    threads = torch.get_num_threads()
    yield AlignmentDetector(find_weights(ROOT / "checkpoints" / "facenets"))
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def python_answer(workspaces, own_faces):
    """What the line's own parts say of a picture: the face's box, and the probabilities."""

    def answer(name, task, picture):
        workspace = workspaces(name)
        study = read_study(workspace.study_file)
        model = next(m for t, m, _ in study.trials() if t == task)
        classifier = load(workspace.model(task, model, "clean-1"))
        box = own_faces.find(picture)[0]
        margin = load_params(ROOT / "params.yaml", study.params).faces.margin
        crop = cut(picture[None], crop_boxes(box[None], margin), study.input.size)
        seen = to_grey(crop) if study.input.channels == 1 else crop
        windows = np.repeat(seen[None], classifier.window, axis=1)
        return box, dict(zip(classifier.labels, classifier.probabilities(windows)[0], strict=True))

    return answer
