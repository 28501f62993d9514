import os
import urllib.request

import psutil
import pytest

from flows.server import ServerError, _own_server, prefect_server


def answers(url):
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        return answer.status == 200


def test_a_server_that_answers_is_taken(server, monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_API_URL", server)
    with prefect_server(tmp_path) as url:
        assert url == server
    assert answers(server)
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_server_is_started_on_loopback_and_stopped(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    before = set(psutil.Process().children(recursive=True))
    with prefect_server(tmp_path) as url:
        assert "http://127.0.0.1:9/api does not answer" in capsys.readouterr().out
        assert url.startswith("http://127.0.0.1:")
        assert os.environ["PREFECT_API_URL"] == url
        assert answers(url)
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:9/api"
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_server_that_does_not_start_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_SERVER_API_KEEPALIVE_TIMEOUT", "no number")
    with pytest.raises(ServerError, match=r"did not start; .*server\.log says why"):
        _own_server(tmp_path).__enter__()
    assert (tmp_path / "prefect" / "server.log").stat().st_size > 0
