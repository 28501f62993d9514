"""How an artefact was made: its stages' commands, parameters and inputs, and who ran them when.

What decided the bytes stands in `dvc.lock`; who, when, where and with which versions in the run
records. A corpus that came from a cache or a clone has no record here, and that is said.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from avatars.assets import REGISTER
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK
from pipeline.lineage.lock import Stage

# The stages whose work is in each kind of artefact, in order.
STAGES = {
    "clip": ("plan", "render"),
    "transfer": ("plan", "render", "portraits", "motion", "transfer"),
    "portrait": ("plan", "portraits"),
    "identity": ("plan",),
    "camera": ("plan",),
    "expression": ("plan",),
    "sample": ("facenets", "faces", "split", "oversample"),
    "model": ("plan", "facenets", "faces", "split", "oversample", "train"),
    "metric": ("train", "evaluate"),
}
# Whether the same inputs give the same bytes, as far as it was seen.
REBUILDABLE = {
    "plan": "bit for bit on any machine",
    "render": "bit for bit on one kind of processor; `pallor verify --rebuild N` does it",
    "portraits": "bit for bit on one kind of processor",
    "motion": "no: trained on two threads, whose sums have no fixed order; its file is committed",
    "facenets": "no: trained on two threads, as motion is; its files are committed",
    "transfer": "bit for bit on one kind of processor (one torch thread)",
    "faces": "bit for bit with the same detector and weights (`data/faces/detector.json`)",
    "split": "bit for bit on any machine",
    "oversample": "bit for bit on any machine",
    "train": "bit for bit on one kind of processor (one torch thread); another may end elsewhere",
    "evaluate": "bit for bit from the same models; figures to six digits elsewhere",
}


def stages_of(kind: str, lock: dict[str, Stage], runs: Path) -> list[dict[str, Any]]:
    """What is known of each stage behind an artefact of `kind`, in order; those in the lock only.

    Each holds `stage`, `command`, `params`, `inputs` (hash by path), `rebuildable` and `run`, the
    newest completed run record below `runs` or None.
    """
    records = newest_runs(runs)
    return [
        {
            "stage": name,
            "command": lock[name].cmd,
            "params": lock[name].params,
            "inputs": lock[name].deps,
            "rebuildable": REBUILDABLE[name],
            "run": records.get(name),
        }
        for name in STAGES[kind]
        if name in lock
    ]


def newest_runs(runs: Path) -> dict[str, dict[str, Any]]:
    """The newest completed run record by stage name; unreadable ones are passed over."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted(runs.glob("*.json")):  # names begin with the time
        record = _read(path)
        if record.get("outcome") == "completed":
            newest[str(record.get("name"))] = record
    return newest


def assets() -> list[dict[str, str]]:
    """The packages that people are made of: name, version, SHA-256, licence, registry."""
    return [
        {
            "name": package.name,
            "version": package.version,
            "sha256": package.sha256,
            "licence": package.licence,
            "origin": package.registry,
        }
        for package in REGISTER
    ]


def versions(root: Path, path: str, md5: str, limit: int = 20) -> list[str]:
    """The commits (newest first, described) whose `dvc.lock` has `path` at this hash."""
    if not history.is_repository(root):
        return []
    found = []
    for revision in history.touching(root, LOCK)[:200]:
        text = history.show(root, revision, LOCK) or ""
        if md5 in text and f"path: {path}\n" in text:
            found.append(history.describe(root, revision))
    return found[:limit]


def allowed(licences: Iterable[str]) -> list[dict[str, str]]:
    """For each licence: may a face under it be animated and its crops be passed on, and why."""
    return [{"licence": text, **_judge(text)} for text in sorted(set(licences))]


def _judge(text: str) -> dict[str, str]:
    words = text.casefold()
    rules = (
        (
            ("-nd", "noderiv", "no deriv"),
            "no",
            "forbids derivatives, and a transferred clip is one",
        ),
        (("-nc", "noncommercial", "non-commercial"), "yes, not commercially", "forbids commerce"),
        (("cc0", "public domain"), "yes", "asks for nothing"),
        (("cc-by-sa", "cc by-sa", "cc by sa"), "yes, under the same licence", "share alike"),
        (("cc-by", "cc by"), "yes, with attribution", "asks for attribution"),
    )
    for marks, use, because in rules:
        if any(mark in words for mark in marks):
            return {"use": use, "because": because}
    return {"use": "ask the rights holder", "because": "not a licence this rule knows"}


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}
