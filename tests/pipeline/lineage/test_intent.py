"""A removal that is killed at any moment is finished by the same command."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from pipeline.lineage.intent import pending

DRIVER = Path(__file__).with_name("killed_forget.py")


def copied(template, folder):
    """A workspace and its remote, with a photograph's items in the work store."""
    root = folder / "template"
    shutil.copytree(template.root, root, symlinks=True)
    shutil.copytree(template.place.remotes["store"], folder / "template-remote")
    for number, still in enumerate(sorted((root / "data/deterioration/portraits").glob("*.png"))):
        key = f"{number:064x}"
        item = root / f".pallor/work/portraits/00/{key}"
        item.mkdir(parents=True)
        shutil.copy(still, item)
        with (root / ".pallor/work/portraits.log.jsonl").open("a") as log:
            log.write(json.dumps({"key": key, "name": still.stem}) + "\n")
    return root


def run(*runs):
    """Exit code and count of changes of each (root, last) in turn."""
    words = [f"{root}:{last}" for root, last in runs]
    done = subprocess.run(
        [sys.executable, DRIVER, *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def state(root):
    """Every file of workspace, home and remote; of the tombstone all but the time."""
    files = {}
    for path in sorted(root.parent.rglob("*")):
        name = path.relative_to(root.parent).as_posix()
        if path.is_file() and "/.git/" not in name and "/.dvc/tmp/" not in name:
            files[name] = path.read_bytes()
        assert ".part" not in path.name, path
    stones = files["template/data/tombstones.jsonl"].decode().splitlines()
    files["template/data/tombstones.jsonl"] = [json.loads(s) | {"when": ""} for s in stones]
    return files


def git(root, *arguments):
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout


def test_ten_kills_at_random_moments_end_in_the_same_state(template, tmp_path):
    whole = copied(template, tmp_path / "whole")
    [[code, changes]] = run((whole, 0))
    assert code == 0
    assert changes > 50
    wanted = state(whole)
    lasts = np.random.default_rng(16).integers(1, changes + 1, 10)
    roots = [copied(template, tmp_path / f"{n} at {last}") for n, last in enumerate(lasts)]
    pairs = [((root, last), (root, 0)) for root, last in zip(roots, lasts, strict=True)]
    said = run(*(one for pair in pairs for one in pair))
    assert sum(code == -signal.SIGKILL for code, _ in said[::2]) >= 8
    for root, (code, _), last in zip(roots, said[1::2], lasts, strict=True):
        assert code == 0, f"killed at {last} of {changes}"
        assert state(root) == wanted, f"killed at {last} of {changes}"
        assert git(root, "status", "--porcelain") == ""
        assert git(root, "rev-list", "--count", "HEAD").strip() == "2"
        assert list(pending(root)) == []
