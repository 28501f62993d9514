"""`diff`: what changed between two versions of the dataset, from git and DVC's cache alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.lineage import history
from pipeline.lineage.corpus import CLIPS, LOCK, METRICS, PARAMS, PLAN, TRANSFERRED, Workspace
from pipeline.lineage.lock import Stage, listing, outs, parse_lock

FIGURES = ("accuracy", "precision", "recall", "f1", "auc", "n_test")
NAMED = 10  # clips named in the text; all of them stand in the data


@dataclass(frozen=True)
class Snapshot:
    """What git has of one version: rows by key, lock, parameters and figures by dotted name."""

    name: str
    rows: dict[str, dict[str, Any]]
    lock: dict[str, Stage]
    params: dict[str, Any]
    figures: dict[str, Any]


def snapshot(root: Path, revision: str | None) -> Snapshot:
    """A version at a revision, or the workspace for None.

    Raises StageError for an unknown revision or a broken lock.
    """

    def text(path: Path) -> str:
        if revision is None:
            return (root / path).read_text() if (root / path).is_file() else ""
        return history.show(root, revision, path) or ""

    evaluation = json.loads(text(METRICS / "evaluation.json") or "{}")
    figures: dict[str, Any] = dict(_flat(json.loads(text(METRICS / "counts.json") or "{}")))
    for protocol in ("published", "clean"):
        for unit in ("window", "clip"):
            row = evaluation.get(protocol, {}).get(f"by_{unit}", {})
            figures |= {f"{protocol}.{unit}.{key}": row[key] for key in FIGURES if key in row}
    lock = text(LOCK)
    return Snapshot(
        name=history.describe(root, revision) if revision else "the workspace",
        rows=_by_key([json.loads(line) for line in text(PLAN).splitlines()]),
        lock=parse_lock(lock, f"{LOCK} of {revision}") if lock else {},
        params=dict(_flat(yaml.safe_load(text(PARAMS)) or {})),
        figures=figures,
    )


def compare(old: Snapshot, new: Snapshot, place: Workspace) -> dict[str, Any]:
    """The difference as plain data: clips by key, parameters and figures as [old, new], code.

    `pixels` counts, of the clips that both versions have under one id, those whose bytes differ;
    it is None where neither cache nor remote has the list of files any more.
    """
    both = old.rows.keys() & new.rows.keys()
    same = [key for key in both if old.rows[key]["clip_id"] == new.rows[key]["clip_id"]]
    return {
        "old": old.name,
        "new": new.name,
        "added": sorted(new.rows.keys() - old.rows.keys()),
        "removed": sorted(old.rows.keys() - new.rows.keys()),
        "changed": sorted(both - set(same)),
        "pixels": _pixels(old, new, [new.rows[key]["clip_id"] for key in same], place),
        "params": _changed(old.params, new.params),
        "figures": _changed(old.figures, new.figures),
        "code": _changed_code(old.lock, new.lock),
    }


def text(difference: Mapping[str, Any]) -> str:
    """The difference as lines for people."""
    lines = [f"from  {difference['old']}", f"to    {difference['new']}"]
    for kind in ("added", "removed", "changed"):
        names = difference[kind]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        said = f": {', '.join(names[:NAMED])}{more}" if names else ""
        lines.append(f"clips {kind:8}{len(names):5}{said}")
    lines.append(f"pixels changed: {_said_pixels(difference['pixels'])}")
    for kind in ("params", "figures"):
        lines += [f"{kind}: {name} {a} > {b}" for name, (a, b) in difference[kind].items()]
        lines += [] if difference[kind] else [f"{kind}: as they were"]
    lines.append(f"code: {', '.join(difference['code']) or 'as it was'}")
    return "\n".join(lines)


def _said_pixels(pixels: Mapping[str, Any] | None) -> str:
    if pixels is None:
        return (
            "unknown; neither cache nor remote lists the files of both (`dvc fetch --all-commits`)"
        )
    if not pixels["compared"]:
        return "no clip has the same id in both"
    if not pixels["differ"]:
        return f"no ({pixels['compared']} clips under the same id, all byte for byte the same)"
    return f"yes, in {len(pixels['differ'])} of {pixels['compared']} clips under the same id"


def _by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    # A transfer is known by who is seen: each portrait performs once.
    faces = {row["portrait_id"]: row["key"] for row in rows if row["kind"] == "portrait"}
    keyed = {row["key"]: row for row in rows if row["kind"] == "clip"}
    return keyed | {
        faces[row["portrait_id"]]: row
        for row in rows
        if row["kind"] == "transfer" and row["portrait_id"] in faces
    }


def _pixels(
    old: Snapshot, new: Snapshot, clips: list[str], place: Workspace
) -> dict[str, Any] | None:
    if not clips:
        return {"compared": 0, "differ": []}
    before, after = _clip_hashes(old, place), _clip_hashes(new, place)
    if before is None or after is None:
        return None
    known = [clip for clip in clips if clip in before and clip in after]
    differ = sorted(clip for clip in known if before[clip] != after[clip])
    return {"compared": len(known), "differ": differ}


def _clip_hashes(version: Snapshot, place: Workspace) -> dict[str, str] | None:
    hashes: dict[str, str] = {}
    made = outs(version.lock)
    for folder in (str(CLIPS), str(TRANSFERRED)):
        found = listing(made[folder], place.stores) if folder in made else {}
        if found is None:
            return None
        hashes |= {Path(n).stem: md5 for n, md5 in found.items() if n.endswith(".mp4")}
    return hashes


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(old.keys() | new.keys())
    return {n: [old.get(n), new.get(n)] for n in names if old.get(n) != new.get(n)}


def _changed_code(old: Mapping[str, Stage], new: Mapping[str, Stage]) -> list[str]:
    hashes = [
        {path: md5 for stage in lock.values() for path, md5 in stage.deps.items()}
        for lock in (old, new)
    ]
    made = {*outs(dict(old)), *outs(dict(new))}
    return [path for path in _changed(*hashes) if path not in made]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
