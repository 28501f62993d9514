"""`verify`: has anything been altered since it was made? Every hash again, then the tables.

Four witnesses: the files against `dvc.lock`, the lock against itself and the commit, DVC's cache
against its own names, and the tables against each other (pipeline.lineage.checks).
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from pipeline.errors import PallorError
from pipeline.lineage import history
from pipeline.lineage.checks import Finding, check_tables
from pipeline.lineage.corpus import LOCK, PARAMS, Workspace, read_corpus
from pipeline.lineage.lock import (
    Stage,
    file_md5,
    folder_hash,
    hash_folder,
    listing,
    objects,
    outs,
    parse_lock,
    read_lock,
)
from pipeline.params import load_params

_IGNORED = ("__pycache__", ".pyc")  # what .dvcignore keeps out of a code folder's hash


def verify(place: Workspace) -> Iterator[Finding]:
    """Everything in a workspace that is not as it was made; nothing when all is.

    Raises StageError when there is no lock to hold it against.
    """
    lock = read_lock(place.root / LOCK)
    yield from check_files(place, lock)
    yield from check_lock(place, lock)
    yield from check_objects(place)
    try:
        yield from check_tables(read_corpus(place.root), load_params(place.root / PARAMS))
    except PallorError as error:  # a table that no longer fits its format
        yield Finding("edited manifest", "tables", str(error))


def summary(place: Workspace) -> str:
    """What was held against what, for a workspace without findings."""
    files = sum(
        len(listing(md5, place.stores) or {}) if md5.endswith(".dir") else 1
        for md5 in outs(read_lock(place.root / LOCK)).values()
    )
    cached = sum(1 for _ in objects(place.cache))
    return (
        f"{files} files and {cached} objects of the cache have the hashes of dvc.lock; labels, "
        "sides, copies and figures agree; nothing was altered"
    )


def check_files(place: Workspace, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Outputs whose bytes are not those of the lock, file by file."""
    for path, md5 in outs(lock).items():
        file = place.root / path
        if not file.exists():
            yield Finding("missing", path, "in dvc.lock, not in the workspace; `dvc checkout`")
        elif md5.endswith(".dir"):
            yield from _check_folder(place, path, md5)
        elif (found := file_md5(file)) != md5:
            yield Finding("altered file", path, f"MD5 {found}, dvc.lock has {md5}")


def check_lock(place: Workspace, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Where `dvc.lock` contradicts itself, the commit, the parameters or the code."""
    made = outs(lock)
    for name, stage in lock.items():
        for path, md5 in stage.deps.items():
            if made.get(path, md5) != md5:
                detail = f"stage {name} read {path} as {md5}, its stage wrote {made[path]}"
                yield Finding("altered lock", str(LOCK), detail)
    yield from _against_commit(place, lock)
    yield from _against_source(place, lock)


def check_objects(place: Workspace) -> Iterator[Finding]:
    """Objects of the cache whose bytes are not those of their name."""
    for md5, path in objects(place.cache):
        if file_md5(path) != md5.removesuffix(".dir"):
            yield Finding("altered cache", str(path), f"its bytes are not those of {md5}")


def _check_folder(place: Workspace, path: str, md5: str) -> Iterator[Finding]:
    found = hash_folder(place.root / path)
    if folder_hash(found) == md5:
        return
    locked = listing(md5, place.stores)
    if locked is None:  # an output that DVC does not cache; git may have it
        named = history.changes(place.root, path) if history.is_repository(place.root) else []
        detail = f"{', '.join(named) or 'a file in it'} is not what dvc.lock has"
        yield Finding("altered file", path, detail)
        return
    for name in sorted(found.keys() | locked.keys()):
        where = f"{path}/{name}"
        if name not in found:
            yield Finding("missing", where, "in dvc.lock, not in the workspace; `dvc checkout`")
        elif name not in locked:
            yield Finding("added file", where, "in the workspace, not in dvc.lock")
        elif found[name] != locked[name]:
            detail = f"MD5 {found[name]}, dvc.lock has {locked[name]}"
            yield Finding("altered file", where, detail)


def _against_commit(place: Workspace, lock: dict[str, Stage]) -> Iterator[Finding]:
    if not history.is_repository(place.root):
        return
    committed = parse_lock(history.show(place.root, "HEAD", LOCK) or "stages: {}")
    for name in sorted(lock.keys() | committed.keys()):
        if lock.get(name) == committed.get(name):
            continue
        ours, theirs = (outs({name: s}) if s else {} for s in (lock.get(name), committed.get(name)))
        paths = [p for p in sorted(ours | theirs) if ours.get(p) != theirs.get(p)]
        detail = f"stage {name} is not that of the commit: {', '.join(paths) or 'its inputs'}"
        yield Finding("altered lock", str(LOCK), detail)


def _against_source(place: Workspace, lock: dict[str, Stage]) -> Iterator[Finding]:
    made = outs(lock)
    frozen = _frozen(place.root)
    for name, stage in lock.items():
        for path, md5 in stage.deps.items():
            if path not in made and name not in frozen and _hash(place.root / path) != md5:
                yield Finding("stale", path, f"not what stage {name} was run with; `pallor run`")
    values = yaml.safe_load((place.root / PARAMS).read_text())  # as DVC reads them
    for name, stage in lock.items():
        for key, value in stage.params.items():
            if name not in frozen and _param(values, key) != value:
                yield Finding("stale", f"{PARAMS}: {key}", f"not what stage {name} was run with")


def _hash(path: Path) -> str | None:
    if path.is_dir():
        files = hash_folder(path)
        kept = {n: md5 for n, md5 in files.items() if not any(mark in n for mark in _IGNORED)}
        return folder_hash(kept)
    return file_md5(path) if path.is_file() else None


def _param(values: object, key: str) -> object:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _frozen(root: Path) -> set[str]:
    """Stages that DVC does not run anew when their code changes (docs/decisions/motion-stage)."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    return {name for name, stage in stages.items() if stage.get("frozen")}
