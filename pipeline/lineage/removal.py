"""What goes when a person asks to be removed: names and objects, in every committed version."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK, PLANS, Place
from pipeline.lineage.index import stream
from pipeline.lineage.lock import Stage, hash_folder, listing, parse_lock, read_lock
from pipeline.stage import STAGES, name_of, study_of
from pipeline.stage import place as path_of
from pipeline.workspace import MAIN, Workspace

Row = dict[str, Any]

# Folders with one file an item, named by its id; every other output is made from all people.
ITEMS = {path_of(stage.items, Workspace()).name for stage in STAGES.values() if stage.items}
TABLES = ("portraits.jsonl", "faces.jsonl", "quarantine.jsonl")
NOBODY = "detector.json"
# Whom the networks of the whole line were trained on is in no clip; code and settings are nobody.
OTHER_PEOPLE = {"code", "settings", *(s.name for s in STAGES.values() if s.scope == "line")}
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
    the workspace to delete; `objects` hashes in caches and remotes; `pictures` those of them that
    show it; `listed` every hash that some version has; `revisions` the commits; `unlisted` folders
    whose list of files no store has.
    """

    subject: Subject
    names: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    revisions: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Version:
    """One state of the dataset; `revision` is None for the workspace, committed or not.

    `plans` are the rows of each study's plan; before there were studies the only one's is None.
    """

    revision: str | None
    plans: dict[str | None, list[Row]]
    lock: dict[str, Stage]

    @property
    def rows(self) -> list[Row]:
        """The rows of all plans."""
        return [row for rows in self.plans.values() for row in rows]

    def files(self, place: Place) -> Iterator[tuple[str | None, str, str]]:
        """(study, path, hash) of every file the stages wrote; none of a folder of unknown files."""
        for name, stage in self.lock.items():
            if name_of(name) in OTHER_PEOPLE:
                continue
            for path, md5 in stage.outs.items():
                if md5.endswith(".dir"):
                    inside = listing(md5, place.stores) or self._uncached(place.root / path)
                    for file, found in inside.items():
                        yield study_of(name), f"{path}/{file}", found
                else:
                    yield study_of(name), path, md5

    def unlisted(self, place: Place) -> set[str]:
        """The folders of data that are in this version, but no store says with which files."""
        made = {
            p: md5
            for n, s in self.lock.items()
            if name_of(n) not in OTHER_PEOPLE
            for p, md5 in s.outs.items()
        }
        folders = {md5 for path, md5 in made.items() if path.startswith("data/")}
        return {md5 for md5 in folders if md5.endswith(".dir") and not listing(md5, place.stores)}

    def _uncached(self, folder: Path) -> dict[str, str]:
        # An output that DVC does not cache is only in the workspace (and, as bytes, in git).
        return hash_folder(folder) if self.revision is None and folder.is_dir() else {}


def versions(place: Place) -> Iterator[Version]:
    """The workspace, then every commit that this clone knows that changed a plan or the lock."""
    lock = read_lock(place.root / LOCK) if (place.root / LOCK).is_file() else {}
    found = [*place.root.glob("data/plan.jsonl"), *place.root.glob("data/*/plan.jsonl")]
    yield Version(None, {_study(path.parts): list(stream(path)) for path in found}, lock)
    if not history.is_repository(place.root):
        return
    for revision in history.touching(place.root, LOCK, *PLANS, lost=True):
        text = history.show(place.root, revision, LOCK)
        plans: dict[str | None, list[Row]] = {}
        for name in history.listed(place.root, revision, "data/"):
            path = PurePosixPath(name)
            if path.name == "plan.jsonl" and len(path.parts) <= 3:
                said = history.show(place.root, revision, name) or ""
                plans[_study(path.parts)] = [json.loads(line) for line in said.splitlines()]
        where = f"{LOCK} of {revision[:10]}"
        yield Version(revision, plans, parse_lock(text, where) if text else {})


def _study(plan: Sequence[str]) -> str | None:
    """The study of data/<study>/plan.jsonl; None for data/plan.jsonl."""
    return None if plan[-2] == "data" else plan[-2]


def find_subject(place: Place, name: str) -> Subject:
    """The subject behind a portrait's or identity's id or a portrait's key.

    Earlier versions are asked too, so that a removal that was interrupted can be taken up.
    Raises StageError when none has it, or when studies call several people by this key.
    """
    for version in versions(place):
        found = [s for rows in version.plans.values() if (s := _subject(rows, name))]
        people = {next(i for i in subject.ids if i.startswith("identity")) for subject in found}
        if len(people) > 1:
            raise StageError(f"'{name}' is several people, say which: {', '.join(sorted(people))}")
        if found:  # every study may have pictures of them
            return _subject(version.rows, found[0].ids[0]) or found[0]
    raise StageError(
        f"'{name}' is no portrait or identity of any version; `pallor explain` says what an id is"
    )


def stood_for(place: Place, name: str) -> set[str]:
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


def plan_removal(place: Place, subject: Subject) -> Removal:
    """All that must go, over the workspace and every commit that this clone knows.

    Raises StageError when git cannot vouch for knowing all of them.
    """
    history.vouch(place.root)
    found = list(versions(place))
    names = set().union(*(derived_names(version.rows, subject) for version in found))
    removal, kept = Removal(subject, names), set[str]()
    for version in found:
        files = list(version.files(place))
        removal.listed |= {md5 for _, _, md5 in files}
        removal.listed |= {md5 for stage in version.lock.values() for md5 in stage.outs.values()}
        removal.unlisted |= version.unlisted(place)
        holds = {s for s, rows in version.plans.items() if any(row_names(r) & names for r in rows)}
        holds |= {study for study, path, _ in files if PurePosixPath(path).stem in names}
        if holds & {None, MAIN}:  # what lay in data/ before there were studies is the main one's
            holds |= {None, MAIN}
        for study, path, md5 in files:
            goes = study in holds and _shows(path, names)
            (removal.objects if goes else kept).add(md5)
            if PurePosixPath(path).stem in names:
                removal.pictures.add(md5)
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


def _subject(rows: Sequence[Row], name: str) -> Subject | None:
    portraits = [row for row in rows if row["kind"] == "portrait" and name in _names(row)]
    if portraits:
        people = {row["person"]["identity_id"] for row in portraits}
        # Every picture of them, also where one was named.
        portraits = [
            row
            for row in rows
            if row["kind"] == "portrait" and row["person"]["identity_id"] in people
        ]
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
    file = PurePosixPath(path)
    if not _of_items(file.parent):
        return True  # every other output is made from all people
    return file.name != NOBODY and (file.name in TABLES or file.stem in names)


def _of_items(folder: PurePosixPath) -> bool:
    """Has the folder one file an item, named by its id? `data/clips` before there were studies."""
    return folder.parts[:1] == ("data",) and len(folder.parts) <= 3 and folder.name in ITEMS


def _names(row: Row) -> tuple[str, str, str]:
    return row["portrait_id"], row["key"], row["person"]["identity_id"]
