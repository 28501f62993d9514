"""Every package fits its types: mypy, which fills one core, beside the other tests."""

import subprocess
import sys
from pathlib import Path


def test_mypy_finds_nothing():
    mypy = [sys.executable, "-m", "mypy"]
    run = subprocess.run(mypy, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
