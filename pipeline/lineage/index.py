"""The index: people, portraits, clips and samples of a study in SQLite, and what ties them.

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
from pipeline.files import digest, file_digest, stream_jsonl, writing
from pipeline.records import short_id
from pipeline.study import Study
from pipeline.workspace import Workspace

Row = dict[str, Any]

# A clip's `person` drives its motion, its `portrait` is who is seen (null: the avatar itself).
# `sample` holds windows and their oversampled copies. A window has a side in each draw of the split
# (`task` is ''), and in each task that asks about it, there with its class and its copies.
# `trial` names what was trained (a `model` a draw) and measured (a `metric` a protocol).
SCHEMA = """
CREATE TABLE source (digest TEXT);
CREATE TABLE person (id TEXT PRIMARY KEY, age REAL, sex TEXT, ethnicity TEXT) WITHOUT ROWID;
CREATE TABLE portrait (id TEXT PRIMARY KEY, person TEXT, key TEXT, licence TEXT, consent TEXT,
                       origin TEXT, file TEXT) WITHOUT ROWID;
CREATE TABLE clip (id TEXT PRIMARY KEY, kind TEXT, key TEXT, person TEXT, portrait TEXT,
                   driving TEXT, expression TEXT, label TEXT, targets TEXT, cohort TEXT,
                   trained INTEGER, camera TEXT, seed INTEGER, status TEXT, reason TEXT,
                   detail TEXT) WITHOUT ROWID;
CREATE TABLE sample (id TEXT PRIMARY KEY, clip TEXT, start INTEGER, length INTEGER, label TEXT,
                     targets TEXT, family TEXT, origin TEXT, partner TEXT) WITHOUT ROWID;
CREATE TABLE side (task TEXT, draw TEXT, sample TEXT, side TEXT, label TEXT,
                   PRIMARY KEY (task, draw, sample)) WITHOUT ROWID;
CREATE TABLE trial (id TEXT PRIMARY KEY, kind TEXT, task TEXT, model TEXT, protocol TEXT,
                    draw TEXT) WITHOUT ROWID;
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
CREATE TABLE balance AS SELECT task, draw, side, label, count(*) AS n
    FROM side GROUP BY task, draw, side, label;
CREATE TABLE family AS SELECT draw, family AS id, side, count(*) AS n
    FROM sample JOIN side ON side.sample = sample.id WHERE task = '' GROUP BY draw, family, side;
CREATE INDEX family_id ON family (id);
CREATE TABLE shared AS SELECT draw, id FROM family GROUP BY draw, id HAVING count(*) > 1;
"""


def open_index(files: Workspace, study: Study, path: Path) -> sqlite3.Connection:
    """The index of a study, kept at `path`; made anew when a table of it has changed.

    Tables that do not exist yet are left out. Raises StageError when there is no plan.
    """
    now = _fingerprint(files, study)
    if not path.is_file() or _made_from(path) != now:
        with writing(path) as part, closing(sqlite3.connect(part)) as database:
            build(database, files, study)
            database.execute("INSERT INTO source VALUES (?)", (now,))
            database.commit()
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    return database


def build(database: sqlite3.Connection, files: Workspace, study: Study) -> None:
    """Fill an empty database from the tables of a study."""
    database.execute("PRAGMA synchronous = OFF")  # a broken index is made anew, never repaired
    database.execute("PRAGMA journal_mode = OFF")
    database.executescript(SCHEMA)
    _load_plan(database, files.plan)
    _load_faces(database, files.faces)
    database.executemany("INSERT INTO trial VALUES (?, ?, ?, ?, ?, ?)", _trials(study))
    for (task, draw), table in _tables(files, study).items():
        _load_samples(database, task, draw, stream(table))
    database.executescript(INDICES + COUNTS)
    database.execute("ANALYZE")


# How a row of another form shows; OverflowError: a number that SQLite cannot hold.
MISFITS = (LookupError, TypeError, ValueError, AttributeError, OverflowError)


def stream(path: Path) -> Iterator[Row]:
    """The rows of a JSON-lines file one by one; none when it does not exist."""
    if path.is_file():
        yield from stream_jsonl(path)


def camera_id(scene: Row) -> str:
    """`camera-` and ten hex digits: equal for clips seen through the same camera."""
    return short_id("camera", scene["camera"])


def _tables(files: Workspace, study: Study) -> dict[tuple[str, str], Path]:
    """(task, draw) > table; without a task the split's, which comes first."""
    draws = [draw for _, draw in study.draws()]
    asked = {(t, draw): files.training_samples(t, draw) for t in study.tasks for draw in draws}
    return {("", draw): files.samples(draw) for draw in draws} | asked


def _trials(study: Study) -> Iterator[tuple[str, str, str, str, str, str | None]]:
    for task, model, protocol in study.trials():
        name = f"{task}/{model}"
        yield f"metric:{name}/{protocol}", "metric", task, model, protocol, None
        for draw in study.protocols[protocol].draws(protocol):
            yield f"model:{name}/{draw}", "model", task, model, protocol, draw


def _fingerprint(files: Workspace, study: Study) -> str:
    if not files.plan.is_file():
        raise StageError(
            f"{files.plan} is missing; run `pallor run --study {study.name}` to make the corpus"
        )
    rows = [files.faces / name for name in ("faces.jsonl", "quarantine.jsonl")]
    tables = [files.plan, *rows, *_tables(files, study).values()]
    stats = [(str(table), table.stat()) for table in tables if table.is_file()]
    lock = file_digest(files.lock) if files.lock.is_file() else None
    own = [file_digest(Path(__file__)), study.model_dump(mode="json")]
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
        except (*MISFITS, sqlite3.ProgrammingError, sqlite3.IntegrityError) as error:
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
        "(?, 'avatar', ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, 'planned', NULL, NULL)",
        (row["clip_id"], row["key"], row["person"]["identity_id"], row["clip_id"],
         row["expression"], *_arm(row), camera_id(row["scene"]), row["seed"]),
    )  # fmt: skip


def _arm(row: Row) -> tuple[Any, ...]:
    return row["label"], json.dumps(row["targets"]), row["cohort"], row["trained"]


def _add_portrait(database: sqlite3.Connection, row: Row) -> None:
    _add_person(database, row)
    names = ("key", "licence", "consent", "origin", "file")
    values = (row["portrait_id"], row["person"]["identity_id"], *(row[name] for name in names))
    database.execute("INSERT OR IGNORE INTO portrait VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _add_transfer(database: sqlite3.Connection, row: Row) -> None:
    database.execute(
        "INSERT OR IGNORE INTO clip VALUES "
        "(?, 'transfer', NULL, NULL, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, 'planned', NULL, NULL)",
        (row["clip_id"], row["portrait_id"], row["driving_clip_id"], row["expression"], *_arm(row)),
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


def _load_samples(database: sqlite3.Connection, task: str, draw: str, rows: Iterable[Row]) -> None:
    names = ("sample_id", "clip_id", "start", "length", "label")
    insert = "INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    place = "INSERT OR IGNORE INTO side VALUES (?, ?, ?, ?, ?)"
    for row in rows:
        partner = (row["partner"] or {}).get("sample_id")
        targets = json.dumps(row.get("targets", {}))
        facts = (*(row[name] for name in names), targets, row["group"], row["origin"], partner)
        database.execute(insert, facts)
        database.execute(place, (task, draw, row["sample_id"], row["side"], row["label"]))
