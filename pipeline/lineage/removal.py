"""What goes when a person asks to be removed: names and objects, in every committed version."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK, PLAN, Workspace
from pipeline.lineage.index import stream
from pipeline.lineage.lock import Stage, hash_folder, listing, parse_lock, read_lock

Row = dict[str, Any]

# Folders with one file an item, named by its id; every other output is made from all people.
ITEMS = ("data/clips", "data/portraits", "data/transferred", "data/faces")
TABLES = ("portraits.jsonl", "faces.jsonl", "quarantine.jsonl")
NOBODY = ("data/faces/detector.json",)
OTHER_PEOPLE = ("motion", "facenets")  # whom these networks were trained on is in no clip
EMPTY = hashlib.md5(b"").hexdigest()  # a table without rows shows nobody


@dataclass(frozen=True)
class Subject:
    """Who is to be removed: ids (portrait and person), and where the register has them."""

    ids: tuple[str, ...]
    kind: str  # portrait or identity
    keys: tuple[str, ...]  # names for people, such as photo/astronaut
    photographs: tuple[str, ...]  # files of the register


@dataclass
class Removal:
    """Everything that holds the subject.

    `names` are the ids of the portraits and clips that show or follow it; `paths` the outputs of
    the workspace to delete; `objects` hashes in caches and remotes; `revisions` the commits.
    """

    subject: Subject
    names: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    revisions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Version:
    """One state of the dataset; `revision` is None for the workspace, committed or not."""

    revision: str | None
    rows: Sequence[Row]
    lock: dict[str, Stage]

    def files(self, place: Workspace) -> Iterator[tuple[str, str]]:
        """(path, hash) of every file the stages wrote; a folder whose list is lost has none."""
        for name, stage in self.lock.items():
            if name in OTHER_PEOPLE:
                continue
            for path, md5 in stage.outs.items():
                if md5.endswith(".dir"):
                    inside = listing(md5, place.stores) or self._uncached(place.root / path)
                    yield from ((f"{path}/{file}", found) for file, found in inside.items())
                else:
                    yield path, md5

    def _uncached(self, folder: Path) -> dict[str, str]:
        # An output that DVC does not cache is only in the workspace (and, as bytes, in git).
        return hash_folder(folder) if self.revision is None and folder.is_dir() else {}


def versions(place: Workspace) -> Iterator[Version]:
    """The workspace, then every commit of all branches and tags that changed plan or lock."""
    lock = read_lock(place.root / LOCK) if (place.root / LOCK).is_file() else {}
    yield Version(None, list(stream(place.root / PLAN)), lock)
    if not history.is_repository(place.root):
        return
    for revision in history.touching(place.root, LOCK, PLAN):
        text = history.show(place.root, revision, LOCK)
        plan = history.show(place.root, revision, PLAN) or ""
        where = f"{LOCK} of {revision[:10]}"
        rows = [json.loads(line) for line in plan.splitlines()]
        yield Version(revision, rows, parse_lock(text, where) if text else {})


def find_subject(place: Workspace, name: str) -> Subject:
    """The subject behind a portrait's or identity's id or a portrait's key.

    Earlier versions are asked too, so that a removal that was interrupted can be taken up.
    Raises StageError when none has it.
    """
    for version in versions(place):
        subject = _subject(version.rows, name)
        if subject:
            return subject
    raise StageError(
        f"'{name}' is no portrait or identity of any version; `pallor explain` says what an id is"
    )


def stood_for(place: Workspace, name: str) -> set[str]:
    """Ids of the people and portraits behind an id or key that some version had.

    A clip stands for who is seen in it and for who moves it; a removed one is in no table of now.
    """
    ids = set[str]()
    for version in versions(place):
        named = [row for row in version.rows if name in _all_names(row)]
        drivers = {row.get("driving_clip_id") for row in named}
        named += [row for row in version.rows if row.get("clip_id") in drivers]
        ids |= {row["portrait_id"] for row in named if "portrait_id" in row}
        ids |= {row["person"]["identity_id"] for row in named if "person" in row}
    return ids


def plan_removal(place: Workspace, subject: Subject) -> Removal:
    """All that must go, over the workspace and every commit of every branch and tag."""
    found = list(versions(place))
    names = set().union(*(derived_names(version.rows, subject) for version in found))
    removal, kept = Removal(subject, names), set[str]()
    for version in found:
        files = list(version.files(place))
        holds = any(row_names(row) & names for row in version.rows)
        holds = holds or any(PurePosixPath(path).stem in names for path, _ in files)
        for path, md5 in files:
            goes = holds and _shows(path, names)
            (removal.objects if goes else kept).add(md5)
            if goes and version.revision is None:
                removal.paths.add(path)
        if holds and version.revision:
            removal.revisions.append(version.revision)
    # What stands elsewhere too, byte for byte, does not show the subject.
    removal.objects -= kept | {EMPTY}
    return removal


def derived_names(rows: Sequence[Row], subject: Subject) -> set[str]:
    """Ids of the portraits, clips and transferred clips that show the subject or its motion."""
    ids, named = set(subject.ids), set[str]()
    for row in rows:
        own = row["person"]["identity_id"] in ids if "person" in row else False
        if row["kind"] == "portrait" and (own or row["portrait_id"] in ids):
            named.add(row["portrait_id"])
        elif row["kind"] == "clip" and own:
            named.add(row["clip_id"])
    moved = {
        row["clip_id"]
        for row in rows
        if row["kind"] == "transfer" and {row["portrait_id"], row["driving_clip_id"]} & named
    }
    return named | moved


def referenced(place: Workspace) -> set[str]:
    """Every object that some version has; any other was left by a run that nobody committed."""
    used: set[str] = set()
    for version in versions(place):
        used |= {md5 for stage in version.lock.values() for md5 in stage.outs.values()}
        used |= {md5 for _, md5 in version.files(place)}
    return used


def _subject(rows: Sequence[Row], name: str) -> Subject | None:
    portraits = [row for row in rows if row["kind"] == "portrait" and name in _names(row)]
    if portraits:
        people = {row["person"]["identity_id"] for row in portraits}
        return Subject(
            ids=tuple(sorted({row["portrait_id"] for row in portraits} | people)),
            kind="identity" if name in people else "portrait",
            keys=tuple(row["key"] for row in portraits),
            photographs=tuple(row["file"] for row in portraits if row["file"]),
        )
    clips = [r for r in rows if r["kind"] == "clip" and r["person"]["identity_id"] == name]
    return Subject((name,), "identity", tuple(r["key"] for r in clips), ()) if clips else None


def row_names(row: Row) -> set[str]:
    """The ids under which a row of the plan has files."""
    return {row[field] for field in ("clip_id", "portrait_id") if field in row}


def _all_names(row: Row) -> set[str]:
    person = {row["person"]["identity_id"]} if "person" in row else set()
    return row_names(row) | person | ({row["key"]} if "key" in row else set())


def _shows(path: str, names: set[str]) -> bool:
    if path in NOBODY:
        return False
    file = PurePosixPath(path)
    item = str(file.parent) in ITEMS and file.name not in TABLES
    return file.stem in names if item else True


def _names(row: Row) -> tuple[str, str, str]:
    return row["portrait_id"], row["key"], row["person"]["identity_id"]
