"""`dvc.lock` and the objects behind it, read without DVC.

A file's hash is the MD5 of its bytes. A folder's is the MD5 of a JSON list of its files, and has
`.dir` behind it; that list is an object too, so it can be said which file of a folder differs.
An object lies at <store>/files/md5/<two digits>/<the rest>, in a cache and a folder remote alike.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import StageError
from pipeline.files import read_text
from pipeline.stage import STAGES, code_file

CODE_FILES = {code_file(name) for name in STAGES}
# A removal reads the lock of every version; libyaml's loader is as safe, and ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Stage:
    """One stage of a lock: its command, parameters (dotted name > value), hashes by path.

    Keys of the study's file are named `study.<key>`; `code` is the digest of the stage's closure.
    `rest` is what else it says of a path, by "deps path" or "outs path": size, nfiles, hash.
    """

    cmd: str
    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]
    code: str | None = None
    rest: dict[str, dict[str, Any]] = field(default_factory=dict)


def parse_lock(text: str, where: str = "dvc.lock") -> dict[str, Stage]:
    """The stages of a lock file by name; StageError when it is no such file."""
    try:
        stages = _LOADER(text).get_single_data()["stages"]
        return {name: _stage(row) for name, row in sorted(stages.items())}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise StageError(
            f"{where} is no lock file of DVC ({said}); take it back from git"
        ) from error


def read_lock(path: Path) -> dict[str, Stage]:
    """`parse_lock` of a file; StageError when it is missing."""
    if not path.is_file():
        raise StageError(f"{path} is missing; run `pallor run` to make the corpus")
    return parse_lock(read_text(path), str(path))


def outs(lock: dict[str, Stage]) -> dict[str, str]:
    """Hash by path of everything the stages wrote."""
    return {path: md5 for stage in lock.values() for path, md5 in stage.outs.items()}


def file_md5(path: Path) -> str:
    """MD5 of a file's bytes, in hex, as DVC has it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def hash_folder(path: Path) -> dict[str, str]:
    """MD5 by relative path of the files below a folder."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): file_md5(p) for p in files}


def folder_hash(files: dict[str, str]) -> str:
    """The `.dir` hash of a folder with these files."""
    rows = [{"md5": files[name], "relpath": name} for name in sorted(files, key=_parts)]
    return hashlib.md5(json.dumps(rows, sort_keys=True).encode()).hexdigest() + ".dir"


def object_path(store: Path, md5: str) -> Path:
    """Where a cache or a folder remote keeps an object."""
    return store / "files" / "md5" / md5[:2] / md5[2:]


def objects(store: Path) -> Iterator[tuple[str, Path]]:
    """Hash by name and path of every object of a cache or a folder remote."""
    for path in sorted((store / "files" / "md5").glob("??/*")):
        if path.is_file():
            yield path.parent.name + path.name, path


def listing(md5: str, stores: Iterable[Path]) -> dict[str, str] | None:
    """MD5 by relative path in a folder object; None when no store holds it whole."""
    for store in stores:
        path = object_path(store, md5)
        if path.is_file():
            with suppress(ValueError, KeyError, TypeError):  # altered; another store may be right
                return {row["relpath"]: row["md5"] for row in json.loads(path.read_text())}
    return None


def _stage(row: dict[str, Any]) -> Stage:
    params: dict[str, Any] = {}
    code = None
    for file, values in row.get("params", {}).items():
        if Path(file) in CODE_FILES:
            code = values["digest"]
        else:
            params |= {name.removeprefix("params."): value for name, value in values.items()}
    deps, made = (
        {entry["path"]: entry["md5"] for entry in row.get(kind, [])} for kind in ("deps", "outs")
    )
    rest = {
        f"{kind} {entry['path']}": {k: v for k, v in entry.items() if k not in ("path", "md5")}
        for kind in ("deps", "outs")
        for entry in row.get(kind, [])
    }
    return Stage(row["cmd"], params, deps, made, code, rest)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(name.split("/"))  # DVC sorts by path, not by text
