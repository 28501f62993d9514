import os
import signal
import sys

import psutil
import pytest

from pipeline.errors import StageError
from pipeline.store import torch_worker
from pipeline.store.torch_worker import delegate

ODD = """\
import os, sys
from pathlib import Path
from pipeline.errors import StageError
from pipeline.store.torch_worker import serve

def work(request):
    print("now", request["name"])
    if request["name"] == "wrong":
        raise StageError("nothing to learn from")
    if request["name"] == "killed":
        os.kill(os.getpid(), 9)
    if request["name"] == "broken":
        raise RuntimeError("a fault of ours")
    threads = os.environ["OMP_NUM_THREADS"]
    Path(request["out"]).write_text(f"{os.getpid()} {threads}")

serve(work)
"""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Name > what a worker of ours does with it: its process's number and threads."""
    (tmp_path / "odd_worker.py").write_text(ODD)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr(torch_worker, "_KEPT", {})

    def asked(name):
        delegate("odd_worker", {"name": name, "out": str(tmp_path / name)})
        return (tmp_path / name).read_text().split()

    yield asked
    torch_worker._end_all()


def test_a_worker_that_has_answered_is_asked_again(odd, capsys):
    first, threads = odd("one")
    assert odd("two") == [first, threads]
    assert threads == "1"
    assert capsys.readouterr().out == "now one\nnow two\n"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("wrong", "nothing to learn from"),
        ("broken", "RuntimeError: a fault of ours"),
        ("killed", torch_worker.SILENT),
    ],
)
def test_a_worker_that_failed_says_why_and_another_takes_its_place(odd, name, sentence):
    first, _ = odd("one")
    with pytest.raises(StageError) as caught:
        odd(name)
    assert str(caught.value) == sentence
    assert not psutil.pid_exists(int(first))
    second, _ = odd("two")
    assert second != first


def test_a_worker_killed_between_two_requests_is_one_sentence(odd):
    first, _ = odd("one")
    os.kill(int(first), signal.SIGKILL)
    with pytest.raises(StageError):
        odd("two")
    assert odd("three")[0] != first
