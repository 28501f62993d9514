"""A DVC remote on a real server that speaks S3, on loopback: push, clone, pull."""

import os
import subprocess
import sys

DVC = [sys.executable, "-m", "dvc"]


def call(folder, *command):
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    who = {
        f"GIT_{role}_{what}": "t@t"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment | who
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_fresh_clone_pulls_what_was_pushed(s3, tmp_path):
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    (origin / "data/clips").mkdir(parents=True)
    for number in range(20):
        (origin / f"data/clips/{number}.mp4").write_bytes(os.urandom(3000))
    call(origin, "git", "init", "-q")
    call(origin, *DVC, "init", "-q")
    call(origin, *DVC, "remote", "add", "--default", "store", "s3://corpus/pallor")
    call(origin, *DVC, "remote", "modify", "store", "endpointurl", s3)
    call(origin, *DVC, "add", "-q", "data/clips")
    call(origin, "git", "add", "-A")
    call(origin, "git", "commit", "-qm", "a corpus")
    call(origin, *DVC, "push", "-q")
    call(tmp_path, "git", "clone", "-q", str(origin), str(clone))
    call(clone, *DVC, "pull", "-q")
    for path in (origin / "data/clips").iterdir():
        assert (clone / "data/clips" / path.name).read_bytes() == path.read_bytes()
    assert "up to date" in call(clone, *DVC, "status")
    assert "in sync" in call(clone, *DVC, "status", "--cloud")
    assert "test" not in (clone / ".dvc/config").read_text()  # the keys
