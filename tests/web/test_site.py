"""What a site holds, and the server over it; no browser needed."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.web import BusyError, Site, server
from pipeline.errors import StageError, StudyError
from pipeline.exports.page import page_models
from pipeline.exports.parts import lexicon
from pipeline.study import read_study
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
PAGES = sorted(WEB.glob("*.html"))
MODULES = sorted([*(WEB / "app").glob("*.js"), WEB / "sw.js"])


def fetch(address, path, host="127.0.0.1"):
    place, port = address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(place, int(port), timeout=30)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_a_site_names_its_networks_and_every_file(serve):
    address = serve("mood")
    about = json.loads(fetch(address, "/study/study.json")[1])
    (task,) = about["tasks"]
    assert set(task["labels"]) == {"negative", "neutral", "positive", "other"}
    assert (task["size"], task["channels"], about["camera"]) == (64, 1, True)
    model = fetch(address, "/study/mood.onnx")[1]
    assert len(model) < 1_000_000  # the published bound
    listed = json.loads(fetch(address, "/files.json")[1])["files"]
    for name in ("upload.html", "vendor/ort-wasm-simd-threaded.wasm", "study/detector.onnx"):
        assert name in listed
    for name in listed:
        assert fetch(address, f"/{name}")[0].status == 200, name


def test_only_its_own_origin_may_be_asked(serve):
    answer, body = fetch(serve("mood"), "/mood.html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert re.findall(r"https?:|\*|unsafe-inline|'unsafe-eval'", policy) == []
    written = re.search(r'Content-Security-Policy" content="([^"]+)"', body.decode()).group(1)
    assert policy == f"{written}; frame-ancestors 'none'"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_hold_no_inline_code_and_name_no_other_host(page):
    text = page.read_text()
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", text)
    assert not re.search(r'(src|href)="(https?:)?//', text)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_modules_name_no_other_host(module):
    found = re.findall(r"https?://[^\s\"'`)]+", module.read_text())
    assert [url for url in found if not url.startswith("http://www.w3.org/2000/svg")] == []


def keys(language):
    return re.findall(r"^  (\w+):", (WEB / f"app/words.{language}.js").read_text(), re.M)


def test_both_languages_have_the_same_sentences():
    assert keys("en") == keys("de")
    assert len(set(keys("en"))) == len(keys("en"))


def test_every_sentence_asked_for_is_there():
    asked = set()
    for path in (*PAGES, *MODULES):
        text = path.read_text()
        asked |= set(re.findall(r'data-(?:say|label|hint)="(\w+)"', text))
        asked |= set(re.findall(r'\bsay\("(\w+)"', text))
    assert asked <= set(keys("en"))


def test_the_lexicon_is_read_whole(parts):
    words = lexicon(parts)
    assert (words["happy"], words["bad"], words["can't stand"]) == (3, -3, -3)
    assert len(words) > 3000
    assert min(words.values()) == -5
    assert max(words.values()) == 5


def test_another_name_is_not_answered(serve):
    assert fetch(serve("mood"), "/", host="attacker.example")[0].status == 403


def test_it_binds_loopback_and_offers_the_next_port(workspaces, tmp_path):
    site = Site(workspaces("mood"), tmp_path)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(BusyError, match=rf"port {port} is in use .*--port \d+` is free"):
            server(site, port)
    with server(site, 0) as serving:
        assert serving.server_address[0] == "127.0.0.1"


def test_a_study_of_comparisons_and_an_untrained_one_are_refused(workspaces, tmp_path):
    study = read_study(workspaces("mood").study_file)
    with pytest.raises(StageError, match="is missing; `pallor run --study mood` trains it"):
        page_models(Workspace("mood", tmp_path), study)
    compared = study.model_copy(
        update={"input": study.input.model_copy(update={"reference": "neutral"})}
    )
    with pytest.raises(StudyError, match="compares each face"):
        page_models(workspaces("mood"), compared)


def test_the_command_starts_at_once_and_stops_by_hand(workspaces, serve, tmp_path):
    workspace = workspaces("mood")
    serve("mood")
    (workspace.root / ".dvc").mkdir(exist_ok=True)
    for name in ("dvc.yaml", "params.yaml"):
        (workspace.root / name).write_bytes((ROOT / name).read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flows.cli", "web", "--study", "mood", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PALLOR_HOME": str(tmp_path)}
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=workspace.root, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            line = running.stdout.readline()
            took = time.monotonic() - began
            assert line.startswith(f"mood: http://127.0.0.1:{port}/")
            assert took < 20  # 2 s on a quiet machine; a busy one proves nothing
            running.send_signal(signal.SIGINT)
            rest, _ = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == 0
    assert rest.endswith("stopped\n")
