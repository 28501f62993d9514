"""`pallor demo`: every stage of the main study on six people, in a workspace of its own.

The demo works in a copy of the checkout below the home folder, so the clone's `dvc.lock`, data and
metrics stay as they are; assets and finished work are shared with it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from flows.workspace import home
from pipeline.errors import StageError

SETTINGS = Path(__file__).with_name("demo.yaml")


def run_demo() -> None:
    """Copy the checkout, run the line there with the demo's settings, print its figures.

    Raises StageError when it fails; the sentence of the stage is on stderr by then.
    """
    place = home() / "demo"
    copy_checkout(place)
    settings = [part for pair in yaml.safe_load(SETTINGS.read_text()) for part in ("--set", pair)]
    if run_there(place, "run", *settings):
        raise StageError(f"the demo did not finish; it lies in {place}")


def run_there(place: Path, *words: str) -> int:
    """The exit code of a `pallor` command in another workspace, with this one's home."""
    command = [sys.executable, "-m", "flows.guard", str(os.getpid()), sys.executable, "-m"]
    environment = {**os.environ, "PALLOR_HOME": str(home().absolute())}
    run = subprocess.run([*command, "flows.cli", *words], cwd=place, env=environment, check=False)
    return run.returncode


def copy_checkout(place: Path) -> None:
    """The files git knows, as they are now, over what an earlier demo left."""
    names = _tracked()
    for name in names:
        source, target = Path(name), place / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (place / "dvc.lock").unlink(missing_ok=True)
    config = place / ".dvc" / "config"
    config.write_text(config.read_text() + "    no_scm = true\n")


def _tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise StageError("the demo copies a git checkout; run it inside a clone")
    return [name for name in run.stdout.split("\0") if name]
