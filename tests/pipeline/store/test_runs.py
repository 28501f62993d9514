import json

import pytest

from pipeline.store.runs import recording


def records(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def test_a_finished_run_says_who_when_where_and_how_long(tmp_path):
    with recording(tmp_path, "render") as record:
        assert records(tmp_path)[0]["outcome"] == "running"
        record["clips"] = 3
    [kept] = records(tmp_path)
    assert kept["outcome"] == "completed"
    assert kept["clips"] == 3
    assert kept["seconds"] >= 0
    assert {"started", "host", "user", "pid", "cores", "revision", "packages"} <= set(kept)


def test_a_failed_run_keeps_its_reason(tmp_path):
    with pytest.raises(ValueError, match="no face"), recording(tmp_path, "faces"):
        raise ValueError("no face")
    [kept] = records(tmp_path)
    assert (kept["outcome"], kept["error"]) == ("failed", "ValueError: no face")
