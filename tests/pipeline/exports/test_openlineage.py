import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.errors import StageError
from pipeline.exports.openlineage import environment_client, events, send_events, write_events
from pipeline.exports.steps import read_steps

pytest.importorskip("openlineage.client")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def steps(workspace):
    return read_steps(workspace, workspace.root / ".pallor" / "runs")


@pytest.fixture
def written(steps, tmp_path):
    write_events(events(steps, NOW), tmp_path)
    return lines(tmp_path / "openlineage.ndjson")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def server():
    """An HTTP server on loopback that keeps what is posted to it."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_recorded_stage_starts_and_completes_in_one_run(written):
    start, complete = (event for event in written if event["job"]["name"] == "render")
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["eventTime"] == "2026-11-21T09:00:00+00:00"
    assert complete["eventTime"] == "2026-11-21T09:00:12.500000+00:00"
    tags = {tag["key"]: tag["value"] for tag in start["run"]["facets"]["tags"]["tags"]}
    assert tags["user"] == "nurse"
    assert tags["version of bpy"] == "4.5.15"


def test_an_unrecorded_stage_is_a_job_without_a_run(written):
    [event] = [event for event in written if event["job"]["name"] == "plan"]
    assert "run" not in event
    assert event["schemaURL"].endswith("JobEvent")
    assert event["eventTime"] == NOW.isoformat()


def test_what_one_stage_writes_the_next_reads_at_the_same_version(written):
    plan, render = written[0], written[1]
    [out], [read] = plan["outputs"], render["inputs"]
    assert (out["namespace"], out["name"]) == (read["namespace"], read["name"])
    assert out["facets"]["version"]["datasetVersion"] == read["facets"]["version"]["datasetVersion"]


def test_the_same_records_give_the_same_events(steps, tmp_path, written):
    (tmp_path / "again").mkdir()
    write_events(events(steps, NOW), tmp_path / "again")
    assert lines(tmp_path / "again" / "openlineage.ndjson") == written


def test_nothing_is_sent_unless_the_environment_says_where(monkeypatch):
    for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    assert environment_client() is None


def test_a_configured_server_receives_every_event(steps, server, monkeypatch):
    url, taken = server
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    client = environment_client()
    send_events(events(steps, NOW), client)
    client.close()
    assert [path for path, _ in taken] == ["/api/v1/lineage"] * 3
    assert [event["job"]["name"] for _, event in taken] == ["plan", "render", "render"]


def test_a_server_that_does_not_answer_is_one_sentence(steps):
    class Broken:
        def emit(self, event):
            raise ConnectionError("refused")

    with pytest.raises(StageError, match=r"did not take the events \(refused\); check OPENLINEAGE"):
        send_events(events(steps, NOW), Broken())
