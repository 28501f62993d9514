"""Stages tell an OpenLineage server on loopback what they do, while they do it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.told import told
from pipeline.errors import StageError
from pipeline.exports.openlineage import run_id
from pipeline.exports.steps import Step
from pipeline.lineage.lock import Stage
from pipeline.store.runs import recording

pytest.importorskip("openlineage.client")


@pytest.fixture
def heard(monkeypatch):
    """The events that a server on loopback took; the environment names it."""
    events = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{server.server_port}")
    yield events
    server.shutdown()
    server.server_close()
    thread.join()


def kinds(events):
    return [(event["job"]["name"], event["eventType"]) for event in events]


def test_a_stage_is_told_when_it_starts_and_when_it_ends(heard, tmp_path):
    with recording(tmp_path, "render@mood") as record, told("render@mood", record):
        assert kinds(heard) == [("render", "START")]  # while it goes on
    assert kinds(heard) == [("render", "START"), ("render", "COMPLETE")]
    start, complete = heard
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert [data["name"] for data in start["inputs"]] == ["data/mood/plan.jsonl"]
    assert [data["name"] for data in complete["outputs"]] == ["data/mood/clips"]
    # The export tells of the same run.
    lock = Stage(cmd="", params={}, deps={}, outs={})
    assert run_id(Step("render", lock, record)) == start["run"]["runId"]


def test_a_stage_that_fails_says_why(heard, tmp_path):
    with (
        pytest.raises(StageError),
        recording(tmp_path, "split@mood") as record,
        told("split@mood", record),
    ):
        raise StageError("one side is empty")
    assert kinds(heard) == [("split", "START"), ("split", "FAIL")]
    assert heard[1]["run"]["facets"]["errorMessage"]["message"] == "StageError: one side is empty"


def test_nobody_is_told_where_none_is_named(heard, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENLINEAGE_URL")
    with recording(tmp_path, "split@mood") as record, told("split@mood", record):
        pass
    assert heard == []


def test_a_server_that_is_gone_ends_no_stage(tmp_path, monkeypatch, capsys):
    config = tmp_path / "openlineage.yml"  # without the nine seconds of trying again
    config.write_text("transport: {type: http, url: 'http://127.0.0.1:9', retry: {total: 0}}\n")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(config))
    with recording(tmp_path, "split@mood") as record, told("split@mood", record):
        pass
    assert capsys.readouterr().err.count("OpenLineage: split@mood is not told") == 1
