"""What `pallor gc` may remove: work, copies, cached objects and run records, by age and reach.

Whatever can be told to be in some version stays (pipeline.lineage.reach), and whatever cannot be
told. All that goes can be made again, but for run records, which only grow old.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StageError
from pipeline.files import read_json
from pipeline.lineage.corpus import Place
from pipeline.lineage.lock import file_md5, objects
from pipeline.lineage.reach import Reach
from pipeline.store.runs import RUNS

DAY = 86_400.0  # seconds
# Days after which each kind may go. A record says who made what, so it is kept for years.
AGES = {"work": 30.0, "copies": 30.0, "cache": 30.0, "prefect": 90.0, "records": 1095.0}
COPIES = ("demo", "small")  # folders of the home with workspaces that a command makes again


@dataclass(frozen=True)
class Waste:
    """A file or folder that may go, its kind (of AGES), its bytes and its age in days."""

    kind: str
    path: Path
    bytes: int
    days: float


@dataclass(frozen=True)
class Found:
    """What may go, and one sentence a thing that was left although it is old."""

    waste: list[Waste]
    left: list[str]


def find(place: Place, reached: Reach, now: float, ages: Mapping[str, float]) -> Found:
    """All that may go of the kinds in `ages` (days); `now` is in seconds since 1970."""
    found = Found([], [])
    looked = {"work": _work, "copies": _copies, "cache": _cache, "records": _records}
    for kind in (kind for kind in looked if kind in ages):
        older = now - ages[kind] * DAY
        for path, since in looked[kind](place, reached, older, found.left):
            found.waste.append(Waste(kind, path, size(path), round((now - since) / DAY, 1)))
    return found


def remove(waste: Waste) -> None:
    """Delete one; a folder goes from its name at once, for a name of the store means a whole item.

    One that is gone already is no error.
    """
    half = waste.path.with_name(f".{waste.path.name}.part")
    if waste.path.is_dir():
        waste.path.rename(half)
        shutil.rmtree(half, ignore_errors=True)
    else:
        waste.path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is none."""
    inside = path.rglob("*") if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in inside if each.is_file())


Old = Iterator[tuple[Path, float]]  # a path and when it was last changed


def _work(place: Place, reached: Reach, older: float, left: list[str]) -> Old:
    """Items of the work store none of whose files is in a version."""
    if not place.owns(place.home):
        left.append(f"work store: {place.home} lies outside this clone, and others may use it")
        return
    for folder in sorted((place.home / "work").glob("*/")):
        old = [(item, at) for item in folder.glob("??/*") if (at := _changed(item)) < older]
        if old and folder.name in reached.unlisted:
            left.append(f"work store: {len(old)} old items of {folder.name}: {_UNTOLD}")
            continue
        yield from ((item, at) for item, at in old if not _holds(item, reached))


def _copies(place: Place, reached: Reach, older: float, left: list[str]) -> Old:
    """Workspaces of `pallor demo` and `pallor run --small`."""
    if place.owns(place.home):
        folders = [place.home / "demo", *sorted((place.home / "small").glob("*"))]
        yield from ((at, when) for at in folders if at.is_dir() and (when := _changed(at)) < older)


def _cache(place: Place, reached: Reach, older: float, left: list[str]) -> Old:
    """Objects of the clone's own DVC cache that no version names."""
    if not place.owns(place.cache):
        left.append(f"DVC cache: {place.cache} may be others' too; `dvc gc --projects` knows them")
        return
    old = [
        (path, when)
        for md5, path in objects(place.cache)
        if md5 not in reached.objects and (when := _changed(path)) < older
    ]
    if old and reached.unlisted:
        left.append(f"DVC cache: {len(old)} old objects that no list names: {_UNTOLD}")
        return
    yield from old


def _records(place: Place, reached: Reach, older: float, left: list[str]) -> Old:
    """Run records but the last good one of each stage, which `pallor explain` shows."""
    folder, newest = place.root / RUNS, dict[str, Path]()
    paths = sorted(folder.glob("*.json"))  # named by their start
    for path in paths:
        try:
            record = read_json(path)
        except StageError:
            continue
        if record.get("outcome") == "completed":
            newest[str(record.get("name"))] = path
    last = set(newest.values())
    yield from ((p, at) for p in paths if p not in last and (at := p.stat().st_mtime) < older)


_UNTOLD = (
    "an earlier version has a folder whose list of files is not here; "
    "`dvc fetch --all-commits` brings the lists"
)


def _changed(path: Path) -> float:
    """When a file, or the youngest thing directly in a folder, was last changed."""
    inside = [path, *(path.iterdir() if path.is_dir() else ())]
    return max(each.lstat().st_mtime for each in inside)


def _holds(item: Path, reached: Reach) -> bool:
    files = (path for path in item.rglob("*") if path.is_file())
    return any(file_md5(path) in reached.objects for path in files)
