"""`explain`: everything known of one id, backwards to what it was made from and forwards.

The answer is plain data: `id`, `kind`, `is` (facts), `made_from`, `leads_to`, `files`, `sides`,
`stages` (pipeline.lineage.provenance); docs/lineage.md says which question each part answers.
"""

import sqlite3
from pathlib import Path
from typing import Any

from pipeline.files import read_json, read_jsonl
from pipeline.lineage import provenance, query
from pipeline.lineage.corpus import (
    CLIPS,
    FACES,
    LOCK,
    METRICS,
    MODELS,
    PORTRAITS,
    TOMBSTONES,
    TRANSFERRED,
    Workspace,
)
from pipeline.lineage.coverage import coverage
from pipeline.lineage.lock import file_md5, listing, outs, read_lock
from pipeline.lineage.removal import stood_for
from pipeline.store.runs import RUNS

Facts = dict[str, Any]
LABELS = "set by the plan and performed by the geometry, not measured from pixels"


def explain(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    """All that is known of an id, a key ("3/FD3-L") or a name ("model:clean", "FD1").

    Raises StageError for a name that no table holds; `removed` may know it.
    """
    name = query.resolve(database, name)
    kind = query.kind_of(database, name)
    answer = {"id": name, "kind": kind, **_OF_KIND[kind](database, name, place)}
    lock = read_lock(place.root / LOCK)
    chain = "transfer" if answer["is"].get("kind") == "transfer" else kind
    answer["files"] = [_state(path, place) for path in answer.pop("paths", [])]
    answer["stages"] = provenance.stages_of(chain, lock, place.root / RUNS)
    return answer


def removed(name: str, place: Workspace) -> Facts | None:
    """The explanation of someone forgotten, or of what went with them: the tombstone; else None.

    The stone holds ids alone. A key or a clip is looked up in the earlier versions that git has.
    """
    path = place.root / TOMBSTONES
    rows = read_jsonl(path) if path.is_file() else []
    ids = {name} if any(name in row["ids"] for row in rows) else set()
    if rows and not ids:
        ids = stood_for(place, name)
    stone = next((row for row in reversed(rows) if ids & set(row["ids"])), None)
    return {"id": name, "kind": "removed", "is": stone} if stone else None


def _clip(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    row = query.row_of(database, "clip", name)
    driver = query.row_of(database, "identity", row["person"])
    made_from: list[Facts] = [{"role": "performer", **driver}]
    if row["kind"] == "transfer":
        paths = [TRANSFERRED / f"{name}.mp4"]
        made_from += [
            {"role": "face", **query.row_of(database, "portrait", row["portrait"])},
            {"role": "driving clip", "id": row["driving"]},
            {"role": "motion model", **_out(place, "motion")},
        ]
    else:
        paths = [CLIPS / f"{name}.mp4", CLIPS / f"{name}.npz"]
        made_from += [{"role": "camera", "id": row["camera"]}]
        made_from += [{"role": "asset", **package} for package in provenance.assets()]
    made_from.insert(1, {"role": "display", "id": row["expression"]})
    sides = query.family_sides(database, name)
    return {
        "is": row | {"label": row["expression"], "labels": LABELS, "synthetic": True},
        "made_from": made_from,
        "leads_to": _forwards(database, "clip", name),
        "paths": [*paths, FACES / f"{name}.mp4"],
        "sides": {p: {"windows of its people": s, "both": len(s) == 2} for p, s in sides.items()},
    }


def _portrait(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    row = query.row_of(database, "portrait", name)
    use = provenance.allowed([row["licence"]])[0]
    return {
        "is": row | {"use allowed": f"{use['use']}: {use['because']}"},
        "made_from": [{"role": "person", **query.row_of(database, "identity", row["person"])}],
        "leads_to": _forwards(database, "portrait", name),
        "paths": [PORTRAITS / f"{name}.png"],
    }


def _identity(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    portraits = database.execute("SELECT id FROM portrait WHERE person = ?", (name,))
    return {
        "is": query.row_of(database, "identity", name),
        "made_from": [{"role": "asset", **package} for package in provenance.assets()],
        "leads_to": {"portraits": [p["id"] for p in portraits]}
        | _forwards(database, "identity", name),
    }


def _trait(kind: str) -> Any:
    def answer(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
        return {"is": {kind: name}, "made_from": [], "leads_to": _forwards(database, kind, name)}

    return answer


def _sample(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    row = query.row_of(database, "sample", name)
    sides = query.sides_of_sample(database, name)
    made_from = [{"role": "crops of", "id": row["clip"]}]
    if row["origin"]:
        made_from.append({"role": "copy of", "id": row["origin"]})
    if row["partner"]:
        made_from.append({"role": "blended with", "id": row["partner"]})
    return {
        "is": row | {"labels": LABELS},
        "made_from": made_from,
        "leads_to": {
            "copies": query.copies_of(database, name),
            "trains": [f"model:{p}" for p, side in sides.items() if side == "train"],
            "judges": [f"metric:{p}" for p, side in sides.items() if side == "test"],
        },
        "paths": [FACES / f"{row['clip']}.mp4"],
        "sides": sides,
    }


def _model(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    protocol = name.split(":")[1]
    record = read_json(place.root / MODELS / f"{protocol}.json")
    train = read_lock(place.root / LOCK)["train"]
    counts = query.class_counts(database, protocol)
    paths = [MODELS / f"{protocol}.safetensors", MODELS / f"{protocol}.json"]
    md5 = train.outs["data/models"]
    return {
        "is": {"trained with": record.get("params"), "torch": record.get("torch")},
        "made_from": [
            {"role": "training data", "path": path, "md5": train.deps[path]}
            for path in ("data/oversampled", "data/faces")
        ]
        + [{"role": "versions with this model", "commit": v}
           for v in provenance.versions(place.root, "data/models", md5)],
        "leads_to": {"metric": f"metric:{protocol}"},
        "paths": paths,
        "sides": {
            "windows": counts,
            "groups of people on both sides": len(query.both_sides(database, protocol)),
        },
    }  # fmt: skip


def _metric(database: sqlite3.Connection, name: str, place: Workspace) -> Facts:
    protocol = name.split(":")[1]
    figures = read_json(place.root / METRICS / "evaluation.json")[protocol]
    proof = read_json(place.root / METRICS / "split_proof.json")[protocol]
    shown = ("unit", "accuracy", "accuracy_ci95", "n_test", "n_people")
    return {
        "is": {key: figures[key] for key in shown if key in figures},
        "made_from": [{"role": "judged", "id": f"model:{protocol}"}],
        "leads_to": {},
        "paths": [METRICS / "evaluation.json", Path(f"data/predictions/{protocol}.jsonl")],
        "sides": {
            "groups of people on both sides": len(query.both_sides(database, protocol)),
            "which": query.both_sides(database, protocol),
            "frames on both sides": proof.get("shared_frames"),
            "nearest training window, share of bits that differ": proof.get("nearest"),
        },
        "coverage": coverage(database, protocol, place.root),
    }


_OF_KIND = {
    "clip": _clip, "portrait": _portrait, "identity": _identity, "sample": _sample,
    "camera": _trait("camera"), "expression": _trait("expression"),
    "model": _model, "metric": _metric,
}  # fmt: skip


def _forwards(database: sqlite3.Connection, kind: str, name: str) -> Facts:
    clips = [clip for clip in query.derived_clips(database, kind, name) if clip != name]
    samples = query.derived_samples(database, kind, name)
    return {
        "clips": len(clips),
        "first clips": clips[: query.FIRST],
        "samples": samples,
        "models": [f"model:{row['protocol']}" for row in samples if row["side"] == "train"],
        "metrics": [f"metric:{row['protocol']}" for row in samples if row["side"] == "test"],
    }


def _out(place: Workspace, stage: str) -> Facts:
    found = read_lock(place.root / LOCK).get(stage)
    path, md5 = next(iter(found.outs.items())) if found else ("unknown", None)
    return {"path": path, "md5": md5}


def _state(path: Path, place: Workspace) -> Facts:
    """A file's locked hash, and whether it is there and still has it."""
    locked = _locked(path, place)
    file = place.root / path
    if not file.is_file():
        state = "missing"
    elif locked is None:
        state = "not in dvc.lock"
    else:
        state = "as locked" if file_md5(file) == locked else "ALTERED"
    return {"path": str(path), "md5": locked, "state": state}


def _locked(path: Path, place: Workspace) -> str | None:
    hashes = outs(read_lock(place.root / LOCK))
    if str(path) in hashes:
        return hashes[str(path)]
    folder = hashes.get(str(path.parent))
    return (listing(folder, place.stores) or {}).get(path.name) if folder else None
