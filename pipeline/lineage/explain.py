"""`explain`: everything known of one id, backwards to what it was made from and forwards.

The answer is plain data: `id`, `kind`, `is` (facts), `made_from`, `leads_to`, `files`, `sides`,
`stages` (pipeline.lineage.provenance); docs/lineage.md says which question each part answers.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.evaluation.results import Results
from pipeline.files import read_json, read_jsonl
from pipeline.lineage import provenance, query
from pipeline.lineage.corpus import LOCK, TOMBSTONES, Place
from pipeline.lineage.coverage import coverage
from pipeline.lineage.database import Index
from pipeline.lineage.lock import file_md5, listing, outs, read_lock
from pipeline.lineage.removal import stood_for
from pipeline.lineage.tables import wrong
from pipeline.stage import STAGES
from pipeline.store.runs import RUNS
from pipeline.study import Study
from pipeline.workspace import Workspace

Facts = dict[str, Any]
LABELS = "set by the plan and performed by the geometry, not measured from pixels"


@dataclass(frozen=True)
class Scope:
    """Where an answer is looked for: a study of a clone, and its index."""

    database: Index
    place: Place
    study: Study

    @property
    def names(self) -> Workspace:
        """The study's paths relative to the clone's root, as the lock names them."""
        return Workspace(self.study.name)

    @property
    def files(self) -> Workspace:
        """The study's files."""
        return self.place.files(self.study.name)


def explain(scope: Scope, name: str) -> Facts:
    """All that is known of an id, a key ("3/smiling") or a name ("model:folds-1", "smiling").

    Raises StageError for a name that no table holds; `removed` may know it.
    """
    name = query.resolve(scope.database, name)
    kind = query.kind_of(scope.database, name)
    answer = {"id": name, "kind": kind, **_OF_KIND[kind](scope, name)}
    chain = "transfer" if answer["is"].get("kind") == "transfer" else kind
    answer["files"] = [_state(path, scope.place) for path in answer.pop("paths", [])]
    root = scope.place.root
    stages = provenance.stages_of(chain, read_lock(root / LOCK), root / RUNS, scope.study.name)
    for stage in stages:
        stage["closure"] = provenance.code_behind(stage["stage"], root, stage["code"])
    return answer | {"stages": stages}


def removed(name: str, place: Place) -> Facts | None:
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


def _clip(scope: Scope, name: str) -> Facts:
    row = query.row_of(scope.database, "clip", name)
    driver = query.row_of(scope.database, "identity", row["person"])
    made_from: list[Facts] = [{"role": "performer", **driver}]
    if row["kind"] == "transfer":
        paths = [scope.names.transferred / f"{name}.mp4"]
        made_from += [
            {"role": "face", **query.row_of(scope.database, "portrait", row["portrait"])},
            {"role": "driving clip", "id": row["driving"]},
            {"role": "motion model", **_out(scope.place, "motion")},
        ]
    else:
        paths = [scope.names.clips / f"{name}{end}" for end in (".mp4", ".npz")]
        made_from += [{"role": "camera", "id": row["camera"]}]
        made_from += [{"role": "asset", **package} for package in provenance.assets()]
    made_from.insert(1, {"role": "display", "id": row["expression"]})
    sides = query.family_sides(scope.database, name)
    facts = row | {"targets": json.loads(row["targets"]), "trained": bool(row["trained"])}
    return {
        "is": facts | {"labels": LABELS, "synthetic": True},
        "made_from": made_from,
        "leads_to": _forwards(scope, "clip", name),
        "paths": [*paths, scope.names.faces / f"{name}.mp4"],
        "sides": {d: {"windows of its people": s, "both": len(s) > 1} for d, s in sides.items()},
    }


def _portrait(scope: Scope, name: str) -> Facts:
    row = query.row_of(scope.database, "portrait", name)
    use = provenance.allowed([row["licence"]])[0]
    person = query.row_of(scope.database, "identity", row["person"])
    return {
        "is": row | {"use allowed": f"{use['use']}: {use['because']}"},
        "made_from": [{"role": "person", **person}],
        "leads_to": _forwards(scope, "portrait", name),
        "paths": [scope.names.portraits / f"{name}.png"],
    }


def _identity(scope: Scope, name: str) -> Facts:
    portraits = scope.database.column("SELECT id FROM portrait WHERE person = $id", id=name)
    return {
        "is": query.row_of(scope.database, "identity", name),
        "made_from": [{"role": "asset", **package} for package in provenance.assets()],
        "leads_to": {"portraits": portraits} | _forwards(scope, "identity", name),
    }


def _trait(kind: str) -> Any:
    def answer(scope: Scope, name: str) -> Facts:
        return {"is": {kind: name}, "made_from": [], "leads_to": _forwards(scope, kind, name)}

    return answer


def _sample(scope: Scope, name: str) -> Facts:
    row = query.row_of(scope.database, "sample", name)
    made_from = [{"role": "crops of", "id": row["clip"]}]
    if row["origin"]:
        made_from.append({"role": "copy of", "id": row["origin"]})
    if row["partner"]:
        made_from.append({"role": "blended with", "id": row["partner"]})
    asked = query.asked_of_sample(scope.database, name)
    return {
        "is": row | {"targets": json.loads(row["targets"]), "labels": LABELS},
        "made_from": made_from,
        "leads_to": {
            "copies": query.copies_of(scope.database, name),
            "trains": query.models_of(scope.database, asked),
            "judges": query.metrics_of(scope.database, asked),
        },
        "paths": [scope.names.faces / f"{row['clip']}.mp4"],
        "sides": query.sides_of_sample(scope.database, name),
    }


def _model(scope: Scope, name: str) -> Facts:
    trial = query.trial(scope.database, name)
    task, model, draw = trial["task"], trial["model"], trial["draw"]
    record = read_json(scope.files.model(task, model, draw).with_suffix(".json"))
    train = read_lock(scope.files.lock)[STAGES["train"].key(scope.study.name)]
    folder, weights = str(scope.names.models), scope.names.model(task, model, draw)
    versions = provenance.versions(scope.place.root, folder, train.outs[folder])
    return {
        "is": {"trained with": record.get("params"), "torch": record.get("torch")},
        "made_from": [
            {"role": "training data", "path": path, "md5": train.deps[path]}
            for path in map(str, (scope.names.oversampled, scope.names.faces))
        ]
        + [{"role": "versions with this model", "commit": version} for version in versions],
        "leads_to": {"metrics": [f"metric:{task}/{model}/{trial['protocol']}"]},
        "paths": [weights, weights.with_suffix(".json")],
        "sides": {
            "windows": query.class_counts(scope.database, task, draw),
            "groups of people on both sides": len(query.both_sides(scope.database, draw)),
        },
    }


def _metric(scope: Scope, name: str) -> Facts:
    trial = query.trial(scope.database, name)
    task, model, protocol = trial["task"], trial["model"], trial["protocol"]
    results = Results.read(scope.files.evaluation)
    row = results.row(task, model, protocol)
    figures = results.headline(row)
    proof = read_json(scope.files.proof)
    draws = scope.study.protocols[protocol].draws(protocol)
    shown = ("accuracy", "accuracy_ci95", "n_test", "n_people")
    rows = [r for draw in draws for r in read_jsonl(scope.files.answers(task, model, draw))]
    both = {draw: query.both_sides(scope.database, draw) for draw in draws}
    return {
        "is": {"unit": row["unit"], "leaky": row["leaky"]} | {key: figures[key] for key in shown},
        "made_from": [{"role": "judged", "id": f"model:{task}/{model}/{draw}"} for draw in draws],
        "leads_to": {},
        "paths": [
            scope.names.evaluation,
            *(scope.names.answers(task, model, draw) for draw in draws),
        ],
        "sides": {
            "groups of people on both sides": sum(map(len, both.values())),
            "which": sorted({group for groups in both.values() for group in groups}),
            "frames on both sides": {draw: proof[draw].get("shared_frames") for draw in draws},
            "nearest training window, share of bits that differ": {
                draw: proof[draw].get("nearest") for draw in draws
            },
        },
        "coverage": coverage(scope.database, task, draws, wrong(rows)),
    }


_OF_KIND = {
    "clip": _clip, "portrait": _portrait, "identity": _identity, "sample": _sample,
    "camera": _trait("camera"), "expression": _trait("expression"),
    "model": _model, "metric": _metric,
}  # fmt: skip


def _forwards(scope: Scope, kind: str, name: str) -> Facts:
    clips = [clip for clip in query.derived_clips(scope.database, kind, name) if clip != name]
    samples = query.derived_samples(scope.database, kind, name)
    return {
        "clips": len(clips),
        "first clips": clips[: query.FIRST],
        "samples": samples,
        "models": query.models_of(scope.database, samples),
        "metrics": query.metrics_of(scope.database, samples),
    }


def _out(place: Place, stage: str) -> Facts:
    found = read_lock(place.root / LOCK).get(stage)
    path, md5 = next(iter(found.outs.items())) if found else ("unknown", None)
    return {"path": path, "md5": md5}


def _state(path: Path, place: Place) -> Facts:
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


def _locked(path: Path, place: Place) -> str | None:
    hashes = outs(read_lock(place.root / LOCK))
    if str(path) in hashes:
        return hashes[str(path)]
    folder = next((at for at in path.parents if str(at) in hashes), None)
    files = listing(hashes[str(folder)], place.stores) if folder else None
    return (files or {}).get(path.relative_to(folder).as_posix()) if folder else None
