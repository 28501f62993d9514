"""`diff`: what changed between two versions of the dataset, from git and DVC's lists alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK, PARAMS, Place, layouts
from pipeline.lineage.lock import Stage, outs, parse_lock
from pipeline.lineage.pixels import parse_manifest, pixels, said
from pipeline.lineage.record import Manifest
from pipeline.params import merged
from pipeline.stage import code_file, name_of, study_of
from pipeline.workspace import MAIN, Workspace

FIGURES = ("accuracy", "precision", "recall", "f1", "auc", "n_test")
NAMED = 10  # clips named in the text; all of them stand in the data


@dataclass(frozen=True)
class Snapshot:
    """What git has of one version of a study: rows by key, the lock of its stages and of those
    of the whole line, parameters and figures by dotted name, the manifest's rows by film.

    `revision` is None for the workspace."""

    name: str
    revision: str | None
    study: str
    rows: dict[str, dict[str, Any]]
    lock: dict[str, Stage]
    params: dict[str, Any]
    figures: dict[str, Any]
    films: Manifest


def snapshot(root: Path, revision: str | None, study: str = MAIN) -> Snapshot:
    """A version of a study at a revision, or in the workspace for None.

    Raises StageError for an unknown revision or a broken lock.
    """

    def text(path: Path) -> str:
        for place in layouts(path, study):
            if revision is not None:
                found = history.show(root, revision, place)
            else:
                found = (root / place).read_text() if (root / place).is_file() else None
            if found:
                return found
        return ""

    names, lock = Workspace(study), text(LOCK)
    stages = parse_lock(lock, f"{LOCK} of {revision}") if lock else {}
    own = yaml.safe_load(text(names.study_file)) or {}
    if like := own.get("like"):
        own = merged(yaml.safe_load(text(Workspace(like).study_file)) or {}, own)
    return Snapshot(
        name=history.describe(root, revision) if revision else "the workspace",
        revision=revision,
        study=study,
        rows=_by_key([json.loads(line) for line in text(names.plan).splitlines()]),
        lock={key: stage for key, stage in stages.items() if study_of(key) in (study, None)},
        params=dict(_flat({**(yaml.safe_load(text(PARAMS)) or {}), "study": own})),
        figures={
            **dict(_flat(_parsed(text(names.counts), names.counts))),
            **dict(_record(_parsed(text(names.folds), names.folds))),
            **dict(_figures(_parsed(text(names.evaluation), names.evaluation))),
        },
        films=parse_manifest(text(names.manifest), revision or "the workspace"),
    )


def _parsed(text: str, path: Path) -> dict[str, Any]:
    """The object of a metrics file, empty where a version has none; StageError for no JSON."""
    try:
        found: dict[str, Any] = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise StageError(f"{path} is not JSON ({error}); `pallor run` makes it anew") from error
    return found


def _record(folds: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The figures of record by network, the range of a single run, and the doubt."""
    for name, row in folds.get("models", {}).items():
        yield f"record.{name}.accuracy", row["accuracy"]
        yield f"record.{name}.seeds", row["seeds"]
    run, doubt = folds.get("single_run", {}), folds.get("doubt", {})
    yield from ((f"record.single_run.{key}", run[key]) for key in ("low", "high") if key in run)
    yield from ((f"record.{key}", doubt[key]) for key in ("coverage", "unknown") if key in doubt)


def _figures(evaluation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Figures by name; task and model are named where a study has several."""
    rows = evaluation.get("results")
    if rows is None:  # before there were studies: one network a protocol
        rows = [{**row, "protocol": name} for name, row in evaluation.items()]
    several = len({(row.get("task"), row.get("model")) for row in rows}) > 1
    for row in rows:
        name = f"{row['task']}/{row['model']}/" if several else ""
        for unit in ("window", "clip", "person"):
            figures = row.get(f"by_{unit}", {})
            for key in (key for key in FIGURES if key in figures):
                yield f"{name}{row['protocol']}.{unit}.{key}", figures[key]


def compare(old: Snapshot, new: Snapshot, place: Place) -> dict[str, Any]:
    """The difference as plain data: clips by key, parameters and figures as [old, new], code.

    `pixels` says what the clips that both versions have show otherwise (`pipeline.lineage.pixels`).
    """
    both = old.rows.keys() & new.rows.keys()
    same = [key for key in both if old.rows[key]["clip_id"] == new.rows[key]["clip_id"]]
    return {
        "old": old.name,
        "new": new.name,
        "added": sorted(new.rows.keys() - old.rows.keys()),
        "removed": sorted(old.rows.keys() - new.rows.keys()),
        "changed": sorted(both - set(same)),
        "pixels": pixels(old, new, place),
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
        listed = f": {', '.join(names[:NAMED])}{more}" if names else ""
        lines.append(f"clips {kind:8}{len(names):5}{listed}")
    lines.append(f"pixels changed: {said(difference['pixels'])}")
    for kind in ("params", "figures"):
        lines += [f"{kind}: {name} {a} > {b}" for name, (a, b) in difference[kind].items()]
        lines += [] if difference[kind] else [f"{kind}: as they were"]
    lines.append(f"code: {', '.join(difference['code']) or 'as it was'}")
    return "\n".join(lines)


def _by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    # A transfer is known by who is seen: each portrait performs once.
    faces = {row["portrait_id"]: row["key"] for row in rows if row["kind"] == "portrait"}
    keyed = {row["key"]: row for row in rows if row["kind"] == "clip"}
    return keyed | {
        faces[row["portrait_id"]]: row
        for row in rows
        if row["kind"] == "transfer" and row["portrait_id"] in faces
    }


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(old.keys() | new.keys())
    return {n: [old.get(n), new.get(n)] for n in names if old.get(n) != new.get(n)}


def _changed_code(old: Mapping[str, Stage], new: Mapping[str, Stage]) -> list[str]:
    """What was no stage's output: sources, and the code of a stage under its file's name."""
    hashes: list[dict[str, str]] = []
    made = {*outs(dict(old)), *outs(dict(new))}
    for lock in (old, new):
        read = {path: md5 for stage in lock.values() for path, md5 in stage.deps.items()}
        code = {str(code_file(name_of(k))): stage.code for k, stage in lock.items() if stage.code}
        hashes.append({path: md5 for path, md5 in read.items() if path not in made} | code)
    return list(_changed(*hashes))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
