"""A removal that is killed at any moment is finished by the same command."""

import json
import shutil
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


def run(root, last=-1):
    return subprocess.run(
        [sys.executable, DRIVER, str(root), str(last)], capture_output=True, text=True, check=False
    )


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
    unkilled = run(whole)
    assert unkilled.returncode == 0, unkilled.stderr
    changes, wanted = int(unkilled.stdout.splitlines()[-1]), state(whole)
    assert changes > 50
    killed = 0
    for last in np.random.default_rng(16).integers(1, changes + 1, 10):
        root = copied(template, tmp_path / f"at{last}")
        first = run(root, last)
        killed += first.returncode == -9
        again = run(root)
        assert again.returncode == 0, f"killed at {last} of {changes}: {again.stderr}"
        assert state(root) == wanted, f"killed at {last} of {changes}"
        assert git(root, "status", "--porcelain") == ""
        assert git(root, "rev-list", "--count", "HEAD").strip() == "2"
        assert list(pending(root)) == []
        shutil.rmtree(root.parent)
    assert killed >= 8
