"""`verify`: has anything been altered since it was made? Every hash again, then the tables.

Four witnesses: the files against `dvc.lock`, the lock against itself and the commit, DVC's cache
against its own names, and the tables against each other (pipeline.lineage.tables).
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import PallorError, StageError
from pipeline.files import is_stray, read_json
from pipeline.lineage import history
from pipeline.lineage.checks import Finding
from pipeline.lineage.corpus import LOCK, Place, read_corpus
from pipeline.lineage.elsewhere import elsewhere, present
from pipeline.lineage.lock import (
    Stage,
    file_md5,
    folder_hash,
    hash_folder,
    listing,
    outs,
    parse_lock,
    read_lock,
)
from pipeline.lineage.stages import (
    PIPELINE,
    STUDIES,
    check_pipeline,
    stages_now,
    stages_of,
    value_of,
)
from pipeline.lineage.tables import check_tables
from pipeline.params import load_params
from pipeline.report.templates import counted
from pipeline.settings import settings
from pipeline.stage import code_file, name_of, study_of
from pipeline.study_checks import open_study


def verify(place: Place) -> Iterator[Finding]:
    """Everything in a workspace that is not as it was made; nothing when all is.

    Of studies made elsewhere (`pipeline.lineage.elsewhere`) only what git has is checked.

    Raises StageError when there is no lock to hold it against.
    """
    lock = read_lock(place.root / LOCK)
    away = elsewhere(place.root, lock)
    yield from check_files(place, present(place.root, lock))
    yield from check_lock(place, lock)
    yield from check_pipeline(place.root, lock)
    yield from check_objects(place, lock)
    for study in made_in(lock):
        yield from _check_study(place, study, lock, tables=study not in away)


def made_in(lock: dict[str, Stage]) -> list[str]:
    """The studies of which a lock has a stage, sorted."""
    return sorted({study for key in lock if (study := study_of(key))})


def _check_study(
    place: Place, name: str, lock: dict[str, Stage], tables: bool
) -> Iterator[Finding]:
    files = place.files(name)
    try:
        study = open_study(files)
        params = load_params(files.params, study.params)
        yield from _against_settings(settings(study, params), name, lock)
        if tables:
            yield from check_tables(read_corpus(files, study), study, params)
    except PallorError as error:  # a table that no longer fits its format
        yield Finding("edited manifest", f"tables of {name}", str(error))


def _against_settings(values: object, study: str, lock: dict[str, Stage]) -> Iterator[Finding]:
    for key in (key for key in lock if study_of(key) == study):
        for name, value in lock[key].params.items():
            known = name if name.startswith("study.") else f"params.{name}"
            if value_of(values, known) != value:
                yield Finding("stale", name, f"not what stage {key} was run with; `pallor run`")


def summary(place: Place) -> str:
    """What was held against what, for a workspace without findings."""
    lock = present(place.root, read_lock(place.root / LOCK))
    files = sum(
        len(listing(md5, place.stores) or {}) if md5.endswith(".dir") else 1
        for md5 in outs(lock).values()
    )
    checked = {name: len(list(place.objects(name, lock))) for name in place.named}
    held = " and ".join(f"{counted(n, 'object')} of the {name}" for name, n in checked.items() if n)
    agree = "have the hashes of dvc.lock; labels, sides, copies and figures agree"
    git = "" if history.is_repository(place.root) else "; git keeps no version to hold it against"
    if checked["cache"]:
        return f"{files} files and {held} {agree}{git}; nothing was altered"
    rest = f"no object was checked: the cache, {place.cache}, has none (`dvc fetch` brings them)"
    return f"{files} files{' and ' + held if held else ''} {agree}{git}; of the cache {rest}"


def check_files(place: Place, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Outputs whose bytes are not those of the lock, file by file; then what it says of sizes."""
    for stage in lock.values():
        for path, md5 in stage.outs.items():
            found = list(_check_out(place, path, md5))
            yield from found or _check_size(place.root, path, stage.rest[f"outs {path}"])


def _check_out(place: Place, path: str, md5: str) -> Iterator[Finding]:
    file = place.root / path
    if not file.exists():
        yield Finding("missing", path, "in dvc.lock, not in the workspace; `dvc checkout`")
    elif md5.endswith(".dir"):
        yield from _check_folder(place, path, md5)
    elif (found := file_md5(file)) != md5:
        yield Finding("altered file", path, f"MD5 {found}, dvc.lock has {md5}")


def _check_size(root: Path, path: str, said: dict[str, Any]) -> Iterator[Finding]:
    """What the lock says of a file or folder beside its hash, where the hash is right."""
    file = root / path
    inside = [p for p in file.rglob("*") if p.is_file()] if file.is_dir() else [file]
    kept = [p for p in inside if not is_stray(PurePosixPath(p.relative_to(root).as_posix()))]
    sizes = [p.stat().st_size for p in kept]
    true = {"size": sum(sizes), "nfiles": len(sizes), "hash": "md5"}
    for key, value in said.items():
        if value != true.get(key, value):
            detail = f"{path} has {key} {true[key]}, not {value}"
            yield Finding("altered lock", str(LOCK), detail)


def check_lock(place: Place, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Where `dvc.lock` contradicts itself, the commit, the parameters or the code."""
    made = outs(lock)
    said = {path: s.rest[f"outs {path}"] for s in lock.values() for path in s.outs}
    for name, stage in lock.items():
        for path, md5 in stage.deps.items():
            if made.get(path, md5) != md5:
                detail = f"stage {name} read {path} as {md5}, its stage wrote {made[path]}"
                yield Finding("altered lock", str(LOCK), detail)
            elif (rest := stage.rest[f"deps {path}"]) != said.get(path, rest):
                detail = f"stage {name} read {path} as {rest}, its stage wrote {said[path]}"
                yield Finding("altered lock", str(LOCK), detail)
    yield from _against_commit(place, lock)
    yield from _against_source(place, lock)


def check_objects(place: Place, lock: dict[str, Stage]) -> Iterator[Finding]:
    """Objects of the cache and of folder remotes whose bytes are not those of their name."""
    for name in place.named:
        for md5, path in place.objects(name, lock):
            if file_md5(path) != md5.removesuffix(".dir"):
                yield Finding(f"altered {name}", str(path), f"its bytes are not those of {md5}")


def _check_folder(place: Place, path: str, md5: str) -> Iterator[Finding]:
    found = _hash_folder(place.root / path)
    if folder_hash(found) == md5:
        return
    locked = listing(md5, place.stores)
    if locked is None:  # an output that DVC does not cache; git may have it
        named = _changes(place, path)
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


def _changes(place: Place, path: str) -> list[str]:
    try:
        return history.changes(place.root, path) if history.is_repository(place.root) else []
    except StageError:  # said once, by _against_commit
        return []


def _against_commit(place: Place, lock: dict[str, Stage]) -> Iterator[Finding]:
    try:
        if not history.is_repository(place.root):
            if not place.unversioned:
                history.vouch(place.root)
            return
        text = history.show(place.root, "HEAD", LOCK) or "stages: {}"
        texts = (history.show(place.root, "HEAD", path) for path in (PIPELINE, STUDIES))
        stages = stages_of(*(text or "stages: {}" for text in texts))
    except StageError as error:
        yield Finding("unknown history", ".git", str(error))
        return
    committed = parse_lock(text)
    for name in sorted(lock.keys() | committed.keys()):
        if lock.get(name) == committed.get(name):
            continue
        ours, theirs = (outs({name: s}) if s else {} for s in (lock.get(name), committed.get(name)))
        paths = [p for p in sorted(ours | theirs) if ours.get(p) != theirs.get(p)]
        detail = f"stage {name} is not that of the commit: {', '.join(paths) or 'its inputs'}"
        yield Finding("altered lock", str(LOCK), detail)
    now = stages_now(place.root)
    for name in sorted(now.keys() | stages.keys()):
        if now.get(name) != stages.get(name):
            detail = f"stage {name} is not that of the commit"
            yield Finding("altered pipeline", str(PIPELINE), detail)


def _against_source(place: Place, lock: dict[str, Stage]) -> Iterator[Finding]:
    made = outs(lock)
    stages = stages_now(place.root)
    for name, stage in lock.items():
        if stages.get(name, {}).get("frozen"):  # DVC does not run it anew (docs/decisions)
            continue
        for path in stage.deps.keys() - made.keys():
            if _hash(place.root / path) != stage.deps[path]:
                yield Finding("stale", path, f"not what stage {name} was run with; `pallor run`")
            else:
                yield from _check_size(place.root, path, stage.rest[f"deps {path}"])
        code = code_file(name_of(name))
        if stage.code and read_json(place.root / code).get("digest") != stage.code:
            yield Finding("stale", str(code), f"not the code of stage {name}; `pallor run`")


def _hash_folder(path: Path) -> dict[str, str]:
    """MD5 by name of what DVC hashes too: .dvcignore keeps strays out."""
    return {n: md5 for n, md5 in hash_folder(path).items() if not is_stray(PurePosixPath(n))}


def _hash(path: Path) -> str | None:
    if path.is_dir():
        return folder_hash(_hash_folder(path))
    return file_md5(path) if path.is_file() else None
