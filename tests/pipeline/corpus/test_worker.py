"""How a worker's end is told, with real processes in Blender's place."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.corpus import worker
from pipeline.errors import ClipError
from pipeline.store.store import Store


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """The lines of a Python program that stands in for the worker."""
    store = Store(tmp_path, "render")

    def run(program, patience=20.0):
        monkeypatch.setattr(worker, "COMMAND", [sys.executable, "-c", program])
        with store.scratch() as scratch:
            (scratch / "request.json").write_text("{}")
            yield from worker.worker_lines(scratch / "request.json", patience, store)

    run.store = store
    return run


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import os; os.kill(os.getpid(), 9)", "was killed, most likely because memory ran out"),
        ("import os; os.kill(os.getpid(), 11)", "crashed with SIGSEGV"),
        ("import sys; sys.exit('no skin')", "failed: no skin"),
        ("raise SystemExit(3)", "failed: it ended without a word"),
        ("b = bytearray(1 << 60)", "failed: MemoryError"),
    ],
)
def test_each_end_has_its_sentence(lines, program, sentence):
    with pytest.raises(ClipError, match=f"a Blender worker {sentence}"):
        list(lines(program))


def test_a_worker_that_hangs_is_ended(lines):
    program = "import time; print('done 0', flush=True); time.sleep(60)"
    heard = lines(program, patience=1.0)
    assert next(heard) == "done 0"
    with pytest.raises(ClipError, match="a Blender worker said nothing for 1 s and was ended"):
        next(heard)


def test_a_worker_nobody_listens_to_is_ended(lines):
    heard = lines("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    pid = int(next(heard))
    heard.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def test_the_log_holds_what_each_worker_took(lines):
    program = "import time; b = b'x' * 200_000_000; print('done 0', flush=True); time.sleep(0.5)"
    assert list(lines(program)) == ["done 0"]
    [row] = lines.store.read_log()
    assert row["event"] == "worker ended"
    assert row["code"] == 0
    assert 200 < row["peak_mb"] < 300
    assert row["core_seconds"] > 0


def test_a_worker_counts_on_one_thread(lines):
    program = (
        "import numpy, threadpoolctl\n"
        "print(*(pool['num_threads'] for pool in threadpoolctl.threadpool_info()))"
    )
    assert set(" ".join(lines(program)).split()) == {"1"}


def test_workers_of_two_processes_never_share_a_core():
    hold = (
        "import sys; from pipeline.corpus.worker import own_core\n"
        "with own_core() as core: print(core, flush=True); sys.stdin.read()"
    )
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    cores = [holder.stdout.readline().strip() for holder in holders]
    for holder in holders:
        holder.communicate("")
    named = [core for core in cores if core != "None"]
    assert len(set(named)) == len(named)
    assert set(named) <= {str(core) for core in os.sched_getaffinity(0)}
