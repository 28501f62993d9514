import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from flows.guard import kill_tree

# A parent that starts a guarded shell which starts a sleeper, and prints the sleeper's pid.
PARENT = """
import os, subprocess, sys
guarded = ["sh", "-c", "sleep 60 & echo $!; wait"]
subprocess.run([sys.executable, "-m", "flows.guard", str(os.getpid()), *guarded])
"""


def gone(pid, within=10.0):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_what_is_guarded_dies_with_a_killed_parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        sleeper = int(parent.stdout.readline())
        assert psutil.pid_exists(sleeper)
        parent.kill()
        assert gone(sleeper)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_what_is_guarded_dies_with_a_killed_guard():
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "flows.guard", str(os.getpid()), sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as guard:
        sleeper = int(guard.stdout.readline())
        guard.kill()
        assert gone(sleeper)


def test_a_parent_that_is_gone_already_starts_nothing(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    command = [sys.executable, "-m", "flows.guard", str(dead.pid), "touch", str(tmp_path / "made")]
    assert subprocess.run(command, check=False).returncode == 1
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 128 + signal.SIGKILL)])
def test_the_exit_code_is_the_commands(script, code):
    command = [sys.executable, "-m", "flows.guard", str(os.getpid()), "sh", "-c", script]
    assert subprocess.run(command, check=False).returncode == code


def test_killing_a_tree_reaches_grandchildren():
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE) as tree:
        sleeper = int(tree.stdout.readline())
        kill_tree(tree.pid)
        assert gone(sleeper)
    kill_tree(tree.pid)  # a second time is no error
