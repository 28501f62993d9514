"""Alerts reach a receiver on loopback, whatever the run came to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.alerts import alerting
from flows.corpus import run_studies
from pipeline.errors import ParamsError, StageError, StudyError

# Apprise's own: it names modules that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def heard(monkeypatch):
    """What a web server on loopback was told; PALLOR_ALERT names it."""
    messages = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            messages.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("PALLOR_ALERT", f"json://127.0.0.1:{server.server_port}/")
    monkeypatch.delenv("PALLOR_ALERT_ON", raising=False)
    yield messages
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_failed_run_is_told_with_its_sentence(heard, workspace):
    with pytest.raises(StudyError):
        run_studies(["nothing"])
    [message] = heard
    assert message["title"] == "Pallor nothing: failed"
    assert "studies/nothing" in message["message"]


def test_items_given_up_are_told(heard):
    with alerting("mood") as end:
        end.lost = 3
    assert heard[0]["title"] == "Pallor mood: incomplete"
    assert heard[0]["message"].startswith("3 items were given up")


@pytest.mark.parametrize(("when", "told"), [(None, 0), ("failure", 0), ("all", 1)])
def test_a_good_end_is_told_when_asked(heard, when, told, monkeypatch):
    if when:
        monkeypatch.setenv("PALLOR_ALERT_ON", when)
    with alerting("mood"):
        pass
    assert [message["title"] for message in heard] == ["Pallor mood: done"] * told


def test_a_receiver_that_is_gone_changes_nothing(monkeypatch, capsys):
    monkeypatch.setenv("PALLOR_ALERT", "json://127.0.0.1:9/")
    with pytest.raises(StageError, match="as it was"), alerting("mood"):
        raise StageError("as it was")
    assert "an alert could not be sent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("PALLOR_ALERT", "carrier-pigeon://secret", "address 1 is none that Apprise knows"),
     ("PALLOR_ALERT_ON", "never", "must be failure or all")],
)  # fmt: skip
def test_a_wrong_wish_is_said_before_the_run(name, value, said, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ParamsError, match=said) as caught, alerting("mood"):
        raise AssertionError("the run began")
    assert "secret" not in str(caught.value)
