"""Erasing: first a list of what goes, which the dry run counts; then exactly that list.

DVC's own `gc` keeps whole versions or drops them; here the objects that show one person go from
every version, and the others stay. Inside the clone there is nobody else. Outside it (a shared
cache, a remote, a home) only what versions of this repository list goes: who else lists the same
bytes cannot be told from here.
"""

import csv
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from pipeline.corpus.register import COLUMNS, SHIPPED, inside, register_rows
from pipeline.errors import StageError
from pipeline.files import canonical, writing
from pipeline.lineage import looks
from pipeline.lineage.corpus import Place
from pipeline.lineage.index import stream
from pipeline.lineage.lock import file_md5, object_path, objects
from pipeline.lineage.removal import Removal

# A model holds something of everyone it was trained on, so no trained item outlives a removal.
TRAINED = "train"
# Below the home folder, a workspace with tables and a cache of its own; `make demo` makes it again.
TWINS = "look"  # below the home: what pipeline.look made for browsers
DEMO = "demo"


@dataclass(frozen=True)
class Part:
    """A file or folder that goes: where it is, the files in it and their bytes."""

    path: str
    files: int
    bytes: int


Going = dict[str, list[Part]]  # by place: workspace, work store, demo, cache, remote:<name>


def going(place: Place, removal: Removal, known: np.ndarray, *registers: Path) -> Going:
    """Everything that a removal deletes, each path once; nothing is touched.

    `known` (R, 1024) are the subject's looks (`search.known_looks`): the work store and the cache
    of the clone also have what runs that nobody committed made of the subject.
    """
    known, seen = looks.turned(known), set[Path]()
    found: Going = {}
    for name, path in _paths(place, removal, known, registers):
        where = path.parent.resolve() / path.name
        if where not in seen and os.path.lexists(path):
            seen.add(where)
            found.setdefault(name, []).append(_part(path))
    return found


def require_deletable(parts: Going) -> None:
    """Raise StageError when a folder does not let this user delete, before anything is."""
    folders = {Path(part.path).parent for rows in parts.values() for part in rows}
    for folder in sorted(folders):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StageError(f"{folder} does not let you delete in it; ask its owner, then again")


def erase(place: Place, removal: Removal, parts: Going) -> None:
    """Delete what is listed; what is gone already is no error, so a killed one is taken up."""
    for part in (part for rows in parts.values() for part in rows):
        _delete(Path(part.path))
    keys = {Path(part.path).name for part in parts.get("work store", [])}
    for log in (place.home / "work").glob("*.log.jsonl"):
        rows = list(stream(log))
        kept = [row for row in rows if not _mentions(row, _names(place, removal) | keys)]
        if kept != rows:
            _rewrite(log, kept)


def photographs(register: Path, removal: Removal) -> list[Path]:
    """The subject's photographs beside the register that no other row shows."""
    rows = _rows(register)[1]
    others = {row["file"] for row in rows if row["id"] not in _register_ids(removal)}
    own = {row["file"] for row in rows if row["id"] in _register_ids(removal)}
    named = own | set(removal.subject.photographs)
    ours = (n for n in named - others if not n.startswith(SHIPPED) and inside(register.parent, n))
    return sorted(register.parent / name for name in ours)


def leave_register(register: Path, removal: Removal) -> None:
    """Take the subject's rows out of the register."""
    columns, rows = _rows(register)
    kept = [row for row in rows if row["id"] not in _register_ids(removal)]
    if kept != rows:
        with writing(register) as part, part.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)


def _paths(
    place: Place, removal: Removal, known: np.ndarray, registers: Sequence[Path]
) -> Iterator[tuple[str, Path]]:
    """Place and path of all that goes, whether or not it is there."""
    for name in sorted(removal.paths):
        yield "workspace", place.root / name
    for path in (path for register in registers for path in photographs(register, removal)):
        yield "workspace", path
    for item in _items(place, removal, known):
        yield "work store", item
    for twin in sorted((place.home / TWINS).glob("*/*")):
        if twin.name.split(".")[0] in removal.names:
            yield "twins", twin
    if place.owns(place.home):
        yield "demo", place.home / DEMO
        for database in sorted((place.home / "prefect").glob("prefect.db*")):
            yield "history of Prefect's runs", database  # task names are names of items
    for name, store in place.named.items():
        gone = removal.objects | set(_uncommitted(place, store, removal, known))
        for md5 in sorted(gone):
            yield name, object_path(store, md5)
        for entry in _run_cache(place, store, removal, gone):
            yield name, entry


def _uncommitted(place: Place, store: Path, removal: Removal, known: np.ndarray) -> Iterator[str]:
    """Objects of the clone's own cache that no version lists and that show the subject."""
    if place.owns(store):
        for md5, path in objects(store):
            if md5 not in removal.listed and looks.nearest(path, known)[1] < looks.ALIKE:
                yield md5


def _run_cache(place: Place, store: Path, removal: Removal, gone: set[str]) -> Iterator[Path]:
    """DVC's memory of runs whose outputs go, which would only be looked up in vain.

    Outside the clone only of runs all of whose outputs versions of this repository list.
    """
    for entry in sorted((store / "runs").glob("??/*/*")):
        made = _outputs(entry) if entry.is_file() else set()
        if made & gone and (place.owns(store) or made <= removal.listed):
            yield entry


def _outputs(entry: Path) -> set[str]:
    try:
        rows = yaml.safe_load(entry.read_text())["outs"]
        return {row["md5"] for row in rows}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return set()  # half written by a killed DVC


def _items(place: Place, removal: Removal, known: np.ndarray) -> Iterator[Path]:
    """The finished items that show the subject, by log, kind, content and look."""
    work, own = place.home / "work", place.owns(place.home)
    named = _names(place, removal)
    logged = {
        row["key"]
        for log in work.glob("*.log.jsonl")
        for row in stream(log)
        if _mentions(row, named) and "key" in row
    }
    for item in sorted(work.glob("*/??/*")):
        trained = own and item.parent.parent.name == TRAINED
        if item.name.split(".")[0] in logged or trained or _holds(item, removal, known, own):
            yield item


def _holds(item: Path, removal: Removal, known: np.ndarray, own: bool) -> bool:
    for path in (path for path in item.rglob("*") if path.is_file()):
        if file_md5(path) in removal.objects:
            return True
        if own and looks.nearest(path, known)[1] < looks.ALIKE:
            return True
    return False


def _names(place: Place, removal: Removal) -> set[str]:
    """What names the subject in a log; in a shared home a key may be somebody else's too."""
    own = set(removal.subject.keys) if place.owns(place.home) else set[str]()
    return {*removal.names, *removal.subject.ids, *own}


def _mentions(row: object, named: set[str]) -> bool:
    return isinstance(row, dict) and any(value in named for value in map(str, row.values()))


def _part(path: Path) -> Part:
    folder = path.is_dir() and not path.is_symlink()
    inside = [p for p in path.rglob("*") if not p.is_dir()] if folder else [path]
    return Part(str(path), len(inside), sum(p.lstat().st_size for p in inside))


def _delete(path: Path) -> None:
    # A folder of the work store stands for a finished item, so it goes from its name at once.
    half = path.with_name(f".{path.name}.part")
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(half, ignore_errors=True)
        path.rename(half)
    else:
        path.unlink(missing_ok=True)
    shutil.rmtree(half, ignore_errors=True)


def _register_ids(removal: Removal) -> set[str]:
    return {key.removeprefix("photo/") for key in removal.subject.keys if key.startswith("photo/")}


def _rows(register: Path) -> tuple[Sequence[str], list[dict[str, str]]]:
    if not register.is_file():
        return (), []
    rows = [row.cells for row in register_rows(register)]
    return list(rows[0]) if rows else COLUMNS, rows


def _rewrite(path: Path, rows: Iterable[object]) -> None:
    with writing(path) as part:
        part.write_text("".join(canonical(row) + "\n" for row in rows))
