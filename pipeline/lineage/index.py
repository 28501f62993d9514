"""The index: people, portraits, clips and samples of a corpus in SQLite, and what ties them.

It holds nothing that the tables do not, is made anew when one of them or `dvc.lock` has changed,
and is streamed in row by row, so that a million clips need no more memory than a thousand.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.files import digest, file_digest, writing
from pipeline.lineage.corpus import FACES, LOCK, OVERSAMPLED, PLAN, SPLIT
from pipeline.records import PROTOCOLS, short_id

Row = dict[str, Any]

# A clip's `person` drives its motion, its `portrait` is who is seen (null: the avatar itself).
# `sample` holds windows and their oversampled copies; the same window has a side in each protocol.
SCHEMA = """
CREATE TABLE source (digest TEXT);
CREATE TABLE person (id TEXT PRIMARY KEY, age REAL, sex TEXT, ethnicity TEXT) WITHOUT ROWID;
CREATE TABLE portrait (id TEXT PRIMARY KEY, person TEXT, key TEXT, licence TEXT, consent TEXT,
                       origin TEXT, file TEXT) WITHOUT ROWID;
CREATE TABLE clip (id TEXT PRIMARY KEY, kind TEXT, key TEXT, person TEXT, portrait TEXT,
                   driving TEXT, expression TEXT, camera TEXT, seed INTEGER, status TEXT,
                   reason TEXT, detail TEXT) WITHOUT ROWID;
CREATE TABLE sample (id TEXT PRIMARY KEY, clip TEXT, start INTEGER, length INTEGER, label TEXT,
                     family TEXT, origin TEXT, partner TEXT) WITHOUT ROWID;
CREATE TABLE side (protocol TEXT, sample TEXT, side TEXT, label TEXT,
                   PRIMARY KEY (protocol, sample)) WITHOUT ROWID;
"""
# After the rows: an index kept up to date row by row costs more than one made at the end.
INDICES = """
CREATE INDEX portrait_person ON portrait (person);
CREATE INDEX clip_person ON clip (person);
CREATE INDEX clip_portrait ON clip (portrait);
CREATE INDEX clip_driving ON clip (driving);
CREATE INDEX clip_camera ON clip (camera);
CREATE INDEX clip_expression ON clip (expression, kind);
CREATE INDEX clip_status ON clip (status);
CREATE INDEX sample_clip ON sample (clip);
CREATE INDEX sample_origin ON sample (origin);
CREATE INDEX sample_partner ON sample (partner);
CREATE INDEX sample_family ON sample (family);
CREATE INDEX side_sample ON side (sample);
"""
# Counted once: over a million windows a count takes as long as a person waits.
COUNTS = """
CREATE TABLE balance AS SELECT protocol, side, label, count(*) AS n
    FROM side GROUP BY protocol, side, label;
CREATE TABLE family AS SELECT protocol, family AS id, side, count(*) AS n
    FROM sample JOIN side ON side.sample = sample.id GROUP BY protocol, family, side;
CREATE INDEX family_id ON family (id);
CREATE TABLE shared AS SELECT protocol, id
    FROM family GROUP BY protocol, id HAVING count(DISTINCT side) = 2;
"""


def open_index(root: Path, path: Path) -> sqlite3.Connection:
    """The index of the workspace `root`, kept at `path`; made anew when a table has changed.

    Tables that do not exist yet are left out. Raises StageError when there is no plan.
    """
    now = _fingerprint(root)
    if not path.is_file() or _made_from(path) != now:
        with writing(path) as part, closing(sqlite3.connect(part)) as database:
            build(database, root)
            database.execute("INSERT INTO source VALUES (?)", (now,))
            database.commit()
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    return database


def build(database: sqlite3.Connection, root: Path) -> None:
    """Fill an empty database from the tables below `root`."""
    database.execute("PRAGMA synchronous = OFF")  # a broken index is made anew, never repaired
    database.execute("PRAGMA journal_mode = OFF")
    database.executescript(SCHEMA)
    _load_plan(database, root / PLAN)
    _load_faces(database, root / FACES)
    for protocol in PROTOCOLS:
        for folder in (SPLIT, OVERSAMPLED):  # the second repeats the first and adds the copies
            _load_samples(database, protocol, stream(root / folder / f"{protocol}.jsonl"))
    database.executescript(INDICES + COUNTS)
    database.execute("ANALYZE")


def stream(path: Path) -> Iterator[Row]:
    """The rows of a JSON-lines file one by one; none when it does not exist."""
    if path.is_file():
        with path.open() as lines:
            for number, line in enumerate(lines, start=1):
                yield _parsed(line, path, number)


def camera_id(scene: Row) -> str:
    """`camera-` and ten hex digits: equal for clips seen through the same camera."""
    return short_id("camera", scene["camera"])


def _parsed(line: str, path: Path, number: int) -> Row:
    try:
        row: Row = json.loads(line)
    except json.JSONDecodeError as error:
        raise StageError(f"{path} line {number} is not JSON; run its stage again") from error
    return row


def _fingerprint(root: Path) -> str:
    tables = [PLAN, *(FACES / name for name in ("faces.jsonl", "quarantine.jsonl"))]
    tables += [folder / f"{p}.jsonl" for folder in (SPLIT, OVERSAMPLED) for p in PROTOCOLS]
    if not (root / PLAN).is_file():
        raise StageError(f"{root / PLAN} is missing; run `pallor run` to make the corpus")
    stats = [(str(t), (root / t).stat()) for t in tables if (root / t).is_file()]
    lock = file_digest(root / LOCK) if (root / LOCK).is_file() else None
    own = file_digest(Path(__file__))
    return digest([own, lock, *([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats)])


def _made_from(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(path)) as database:
            row = database.execute("SELECT digest FROM source").fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[0] if row else None


def _load_plan(database: sqlite3.Connection, path: Path) -> None:
    for row in stream(path):
        try:
            _ROWS[row["kind"]](database, row)
        except (KeyError, TypeError) as error:
            raise StageError(f"{path} has a row that is none of a plan's ({error!r})") from error
    # A transfer is driven by whoever drives its driving clip.
    database.execute(
        "UPDATE clip SET person = (SELECT d.person FROM clip d WHERE d.id = clip.driving) "
        "WHERE kind = 'transfer'"
    )


def _add_person(database: sqlite3.Connection, row: Row) -> None:
    person = row["person"]
    values = tuple(person[name] for name in ("identity_id", "age", "sex", "ethnicity"))
    database.execute("INSERT OR IGNORE INTO person VALUES (?, ?, ?, ?)", values)


def _add_clip(database: sqlite3.Connection, row: Row) -> None:
    _add_person(database, row)
    database.execute(
        "INSERT OR IGNORE INTO clip VALUES "
        "(?, 'avatar', ?, ?, NULL, ?, ?, ?, ?, 'planned', NULL, NULL)",
        (row["clip_id"], row["key"], row["person"]["identity_id"], row["clip_id"],
         row["expression"], camera_id(row["scene"]), row["seed"]),
    )  # fmt: skip


def _add_portrait(database: sqlite3.Connection, row: Row) -> None:
    _add_person(database, row)
    names = ("key", "licence", "consent", "origin", "file")
    values = (row["portrait_id"], row["person"]["identity_id"], *(row[name] for name in names))
    database.execute("INSERT OR IGNORE INTO portrait VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _add_transfer(database: sqlite3.Connection, row: Row) -> None:
    database.execute(
        "INSERT OR IGNORE INTO clip VALUES "
        "(?, 'transfer', NULL, NULL, ?, ?, ?, NULL, NULL, 'planned', NULL, NULL)",
        (row["clip_id"], row["portrait_id"], row["driving_clip_id"], row["expression"]),
    )


_ROWS = {"clip": _add_clip, "portrait": _add_portrait, "transfer": _add_transfer}


def _load_faces(database: sqlite3.Connection, faces: Path) -> None:
    database.executemany(
        "UPDATE clip SET status = 'kept' WHERE id = ?",
        ((row["clip_id"],) for row in stream(faces / "faces.jsonl")),
    )
    database.executemany(
        "UPDATE clip SET status = 'quarantined', reason = ?, detail = ? WHERE id = ?",
        (
            (row["reason"], row["detail"], row["clip_id"])
            for row in stream(faces / "quarantine.jsonl")
        ),
    )


def _load_samples(database: sqlite3.Connection, protocol: str, rows: Iterable[Row]) -> None:
    names = ("sample_id", "clip_id", "start", "length", "label", "group", "origin")
    insert = "INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    place = "INSERT OR IGNORE INTO side VALUES (?, ?, ?, ?)"
    for row in rows:
        partner = (row["partner"] or {}).get("sample_id")
        database.execute(insert, (*(row[name] for name in names), partner))
        database.execute(place, (protocol, row["sample_id"], row["side"], row["label"]))
