"""Erasing: the bytes go from the workspace, the work store, DVC's cache and folder remotes.

DVC's own `gc` keeps whole versions or drops them; here the objects that show one person go from
every version, and the others stay.
"""

import csv
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.files import canonical, writing
from pipeline.lineage import looks
from pipeline.lineage.corpus import Workspace
from pipeline.lineage.index import stream
from pipeline.lineage.lock import file_md5, object_path, objects
from pipeline.lineage.removal import Removal, referenced

# A model holds something of everyone it was trained on, so no trained item outlives a removal.
TRAINED = "train"
# Below the home folder, a workspace with tables and a cache of its own; `make demo` makes it again.
DEMO = "demo"


@dataclass
class Erased:
    """What was removed, by place: workspace, work store, cache, remote:<name>."""

    files: dict[str, int] = field(default_factory=dict)
    bytes: int = 0

    def add(self, place: str, path: Path) -> None:
        """Delete a file or folder and count it; one that is gone already is no error."""
        if not path.exists():
            return
        inside = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        self.files[place] = self.files.get(place, 0) + len(inside)
        self.bytes += sum(p.stat().st_size for p in inside)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.chmod(0o600)  # DVC keeps its objects read-only
            path.unlink()


def erase(place: Workspace, removal: Removal, known: np.ndarray) -> Erased:
    """Delete every file and object of a removal, and what no version refers to.

    `known` (R, 1024) are the subject's looks (`search.known_looks`): the work store also has what
    other workspaces made of the subject, under keys that no table of this one knows.
    """
    erased = Erased()
    for path in sorted(removal.paths):
        erased.add("workspace", place.root / path)
    erase_work(place.home / "work", removal, known, erased)
    erased.add("demo", place.home / DEMO)
    for database in sorted((place.home / "prefect").glob("prefect.db*")):
        erased.add("history of Prefect's runs", database)  # task names are names of items
    used = referenced(place)
    for name, store in stores(place).items():
        orphans = {md5 for md5, _ in objects(store)} - used
        for md5 in sorted(removal.objects | orphans):
            erased.add(name, object_path(store, md5))
        _erase_run_cache(name, store, removal.objects | orphans, erased)
    return erased


def stores(place: Workspace) -> dict[str, Path]:
    """DVC's cache and the folder remotes, by the names that a removal counts under."""
    return {"cache": place.cache, **{f"remote:{n}": path for n, path in place.remotes.items()}}


def erase_work(work: Path, removal: Removal, known: np.ndarray, erased: Erased) -> None:
    """Delete the finished items that show the subject, by log, kind, content and look."""
    gone = {key for log in work.glob("*.log.jsonl") for key in _logged(log, removal)}
    for item in sorted(work.glob("*/??/*")):
        if item.is_dir() and (
            item.name in gone
            or item.parent.parent.name == TRAINED
            or any(_holds(path, removal, known) for path in item.rglob("*") if path.is_file())
        ):
            gone.add(item.name)
            erased.add("work store", item)
    for log in work.glob("*.log.jsonl"):
        rows = (row for row in stream(log) if not _mentions(row, removal, gone))
        _rewrite(log, rows)


def erase_register(register: Path, removal: Removal, erased: Erased) -> bool:
    """Take the subject's rows out of the register and delete its photographs; was there one?"""
    ids = {key.removeprefix("photo/") for key in removal.subject.keys if key.startswith("photo/")}
    if not ids or not register.is_file():
        return False
    with register.open(newline="") as stream_:
        reader = csv.DictReader(stream_)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    for row in rows:
        if row["id"] in ids and not row["file"].startswith("skimage:"):
            erased.add("workspace", register.parent / row["file"])
    with writing(register) as part, part.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["id"] not in ids)
    return True


def _logged(log: Path, removal: Removal) -> list[str]:
    return [row["key"] for row in stream(log) if _mentions(row, removal) and "key" in row]


def _holds(path: Path, removal: Removal, known: np.ndarray) -> bool:
    return file_md5(path) in removal.objects or looks.nearest(path, known) < looks.ALIKE


def _mentions(row: object, removal: Removal, gone: Iterable[str] = ()) -> bool:
    named = {*removal.names, *removal.subject.ids, *removal.subject.keys, *gone}
    return isinstance(row, dict) and any(value in named for value in map(str, row.values()))


def _rewrite(path: Path, rows: Iterable[object]) -> None:
    lines = [canonical(row) + "\n" for row in rows]
    with writing(path) as part:
        part.write_text("".join(lines))


def _erase_run_cache(name: str, store: Path, gone: set[str], erased: Erased) -> None:
    # DVC's memory of runs: an entry whose output is gone would only be looked up in vain.
    for entry in sorted((store / "runs").rglob("*")):
        if entry.is_file() and any(md5 in entry.read_text() for md5 in gone):
            erased.add(name, entry)
