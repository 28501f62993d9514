"""Faults of the machine, at toy size, with real processes, DVC and Prefect (docs/faults.md)."""

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

SPEC = importlib.util.spec_from_file_location("toyline", Path(__file__).with_name("toyline.py"))
toyline = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toyline)

STAGE = [sys.executable, "toy.py", "grow"]
RUN = """
from pathlib import Path
from flows.corpus import bring_up, require_complete
from flows.stage import say_errors
logs = {"grow": Path("data/clips/failed.jsonl")}
raise SystemExit(say_errors(lambda: (bring_up(logs=logs), require_complete(logs))))
"""
LINKED = shutil.ignore_patterns("assets")  # a link, in every workspace already


@pytest.fixture
def line(workspace, assets, server, monkeypatch):
    """A workspace with the toy line, on the shared server."""
    (workspace / ".pallor").mkdir()
    (workspace / ".pallor" / "assets").symlink_to(assets.root)
    shutil.copytree(Path(__file__).parents[2] / "portraits", workspace / "portraits")
    (workspace / "dvc.yaml").write_text(toyline.STAGES)
    (workspace / "toy.py").write_text(toyline.TOY)
    (workspace / "params.yaml").write_text("seed: 7\n")
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setenv("PALLOR_WORKERS", "2")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return workspace


@pytest.fixture
def whole(line, made_once):
    """The same after a whole run, which is made once."""

    def make(root):
        assert run() == (0, "")
        shutil.copytree(line, root, ignore=LINKED, dirs_exist_ok=True)

    shutil.copytree(made_once("whole-toyline", make), line, dirs_exist_ok=True)
    return line


def outcome(command, **options):
    """Exit code and what was said on stderr."""
    run = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return run.returncode, run.stderr


def run(**environment):
    return outcome([sys.executable, "-c", RUN], env={**os.environ, **environment})


def test_a_clip_that_always_fails_is_given_up_said_and_tried_again(line):
    code, said = run(TOY_FAILS="7-03")
    assert code == 3
    assert "the corpus stands, but some items could not be made (grow 1)" in said
    assert (line / "counted.txt").read_text() == "9"
    [row] = map(json.loads, (line / "data/clips/failed.jsonl").read_text().splitlines())
    assert row == {"clip_id": "7-03", "reason": "a Blender worker crashed with SIGSEGV"}
    code, said = run()
    assert (code, said) == (0, "")
    assert (line / "counted.txt").read_text() == "10"
    assert not (line / "data/clips/failed.jsonl").exists()


def test_a_corrupt_cached_file_is_found_and_made_again(whole):
    clip = whole / "data/clips/7-00"
    content = clip.read_bytes()
    cache = (path for path in (whole / ".dvc/cache").rglob("*") if path.is_file())
    [cached] = [path for path in cache if path.read_bytes() == content]
    cached.chmod(0o644)
    cached.write_bytes(b"bit rot")
    cached.chmod(0o444)
    shutil.rmtree(whole / "data")
    subprocess.run([sys.executable, "-m", "dvc", "checkout", "-q"], check=True)
    assert clip.read_bytes() == b"bit rot"  # DVC alone does not notice
    assert run()[0] == 0
    assert clip.read_bytes() == content


def test_a_full_disk_is_one_sentence(line):
    """A limit on file size stands for it: the same call fails, at the same place."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    script = (
        "from pathlib import Path; from flows.stage import say_errors\n"
        "from pipeline.store.store import Job, Store; from toy import work\n"
        "job = Job('a' * 64, 'x', 'item')\n"
        "raise SystemExit(say_errors(lambda: work([job], Store(Path('.pallor'), 'grow'))))"
    )
    code, said = outcome([sys.executable, "-c", script], preexec_fn=limit)
    assert code == 2
    assert "a file may not grow as large as it must" in said
    assert not list((line / ".pallor/work").rglob("*.part"))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("size=128k", "the disk is full; free some space"),
        ("ro", "the file system is read-only; make it writable"),
    ],
)
def test_a_home_on_a_bad_disk_is_one_sentence(line, tmp_path, option, sentence):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine may not mount")
    try:
        code, said = outcome(STAGE, env={**os.environ, "PALLOR_HOME": str(disk)})
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    assert code == 2
    assert f"pallor: {sentence}" in said


def test_a_cache_that_cannot_be_written_is_one_sentence(line):
    shutil.rmtree(line / ".dvc/cache", ignore_errors=True)
    (line / ".dvc/cache").write_text("a file where the cache should be")
    code, said = run()
    assert code == 2
    assert "failed" in said.splitlines()[-1]
    assert len(said.splitlines()) == 1


def test_a_server_that_dies_in_mid_run_is_one_sentence_and_the_next_run_goes_on(line):
    environment = {**os.environ, "TOY_SECONDS": "0.5", "PREFECT_CLIENT_MAX_RETRIES": "1"}
    del environment["PREFECT_API_URL"]  # a server of its own
    with subprocess.Popen(
        STAGE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as stage:
        for said in stage.stdout:
            if said.startswith("grow 2/10"):
                break
        for child in psutil.Process(stage.pid).children(recursive=True):
            child.kill()
        _, said = stage.communicate()
    assert stage.returncode == 2
    assert "stopped answering; finished work is kept, run again" in said
    assert outcome(STAGE)[0] == 0
    assert len(list((line / "data/clips").iterdir())) == 10
