"""How an artefact was made: its stages' commands, parameters and inputs, and who ran them when.

What decided the bytes stands in `dvc.lock`; who, when, where and with which versions in the run
records. A corpus that came from a cache or a clone has no record here, and that is said.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from avatars.assets import REGISTER
from pipeline.errors import AssetError
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK
from pipeline.lineage.lock import Stage
from pipeline.stage import behind, code_file
from pipeline.workspace import MAIN


def stages_of(
    kind: str, lock: dict[str, Stage], runs: Path, study: str = MAIN
) -> list[dict[str, Any]]:
    """What is known of each stage behind an artefact of `kind`, in order; those in the lock only.

    Each holds `stage`, `command`, `params`, `inputs` (hash by path), `code` (the digest of the
    stage's closure when it ran), `rebuildable` and `run`, the newest completed run record below
    `runs` or None.
    """
    records = newest_runs(runs)
    return [
        {
            "stage": stage.name,
            "command": lock[key].cmd,
            "params": lock[key].params,
            "inputs": lock[key].deps,
            "code": lock[key].code,
            "rebuildable": stage.rebuildable,
            "run": records.get(key),
        }
        for stage in behind(kind)
        if (key := stage.key(study)) in lock
    ]


def code_behind(stage: str, root: Path, code: str | None) -> dict[str, Any] | None:
    """The files and packages that decided a stage's bytes, for the digest `code` of its lock.

    Read from code/<stage>.json of the workspace, else from the newest commit that has that digest
    there; None when no version has it.
    """
    path = code_file(stage)
    texts = [(root / path).read_text()] if (root / path).is_file() else []
    if history.is_repository(root):
        shown = (history.show(root, at, path) for at in history.touching(root, path))
        texts += [text for text in shown if text]
    rows = (json.loads(text) for text in texts)
    return next((row for row in rows if row["digest"] == code), None)


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


def permitted(portrait: str, licence: str | None) -> str:
    """What a film of an animated portrait says of its licence, None where nobody stated one.

    Raises AssetError for a licence that forbids what an animated portrait is.
    """
    if licence is None:
        return "not stated; name it with --licence before the film is passed on"
    [judged] = allowed([licence])
    if judged["use"] == "no":
        raise AssetError(f"{portrait} is under '{licence}', which {judged['because']}; use another")
    return licence


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
