"""Questions to the index: what is this id, which clips fit, what derives from it."""

import sqlite3
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pipeline.errors import StageError
from pipeline.records import PROTOCOLS

FIRST = 20  # ids named in an answer; the count is always whole
KINDS = ("clip", "portrait", "identity", "camera", "sample", "expression", "model", "metric")

# The clips that derive from one thing; `:id` is the thing.
CLIPS_OF = {
    "clip": "SELECT id FROM clip WHERE id = :id UNION SELECT id FROM clip WHERE driving = :id",
    "portrait": "SELECT id FROM clip WHERE portrait = :id",
    "identity": "SELECT id FROM clip WHERE person = :id UNION SELECT clip.id FROM portrait "
    "JOIN clip ON clip.portrait = portrait.id WHERE portrait.person = :id",
    "camera": "SELECT id FROM clip WHERE camera = :id UNION SELECT t.id FROM clip c "
    "JOIN clip t ON t.driving = c.id WHERE c.camera = :id",
    "expression": "SELECT id FROM clip WHERE expression = :id",
}
_FOUND_IN = {"clip": "clip", "portrait": "portrait", "identity": "person", "sample": "sample"}
FILTERS = {
    "identity": f"id IN ({CLIPS_OF['identity'].replace(':id', ':identity')})",
    "portrait": "portrait = :portrait",
    "expression": "expression = :expression",
    "camera": f"id IN ({CLIPS_OF['camera'].replace(':id', ':camera')})",
    "kind": "kind = :kind",
    "status": "status = :status",
}


def kind_of(database: sqlite3.Connection, name: str) -> str:
    """Which of KINDS an id or name is; StageError with the nearest known id when it is none."""
    prefix, colon, protocol = name.partition(":")
    if colon and prefix in ("model", "metric") and protocol in PROTOCOLS:
        return prefix
    for kind, table in _FOUND_IN.items():
        if _one(database, f"SELECT 1 FROM {table} WHERE id = :id", id=name):
            return kind
    for kind in ("camera", "expression"):
        if _one(database, f"SELECT 1 FROM clip WHERE {kind} = :id LIMIT 1", id=name):
            return kind
    raise StageError(f"'{name}' is in no table of this corpus; {_hint(database, name)}")


def row_of(database: sqlite3.Connection, kind: str, name: str) -> dict[str, Any]:
    """The index's facts on a clip, portrait, identity or sample."""
    row = _one(database, f"SELECT * FROM {_FOUND_IN[kind]} WHERE id = :id", id=name)
    if row is None:
        raise StageError(f"'{name}' is no {kind} of this corpus")
    return row


def resolve(database: sqlite3.Connection, name: str) -> str:
    """An id as it is, or the id behind a key for people: "3/FD3-L", "photo/astronaut"."""
    for table in ("clip", "portrait"):
        row = _one(database, f"SELECT id FROM {table} WHERE key = :key", key=name)
        if row:
            return str(row["id"])
    return name


def find(
    database: sqlite3.Connection, filters: Mapping[str, str], side: tuple[str, str] | None = None
) -> list[str]:
    """The ids of the clips that fit every filter (keys of FILTERS), sorted.

    `side` is (protocol, train|test): only clips with a window there.
    """
    where = [FILTERS[name] for name in filters]
    values = dict(filters)
    if side:
        where.append(
            "id IN (SELECT clip FROM sample JOIN side ON side.sample = sample.id "
            "WHERE protocol = :protocol AND side = :side)"
        )
        values |= {"protocol": side[0], "side": side[1]}
    clause = " AND ".join(where) or "1"
    rows = database.execute(f"SELECT id FROM clip WHERE {clause} ORDER BY id", values)
    return [row["id"] for row in rows]


def parse_side(text: str) -> tuple[str, str]:
    """(protocol, side) of "clean:test"; StageError for anything else."""
    protocol, _, side = text.partition(":")
    if protocol not in PROTOCOLS or side not in ("train", "test"):
        raise StageError(f"'{text}' is no side; it looks like clean:test or published:train")
    return protocol, side


def derived_clips(database: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """The ids of all clips that `name` (a key of CLIPS_OF) is in, itself included."""
    return [row["id"] for row in database.execute(CLIPS_OF[kind], {"id": name})]


# The windows and copies cut from the clips of a thing, and the blends they are partners in.
_SAMPLES_OF = """
    SELECT id FROM sample WHERE clip IN ({clips}) UNION
    SELECT blend.id FROM sample own JOIN sample blend ON blend.partner = own.id
    WHERE own.clip IN ({clips})"""


def derived_samples(database: sqlite3.Connection, kind: str, name: str) -> list[dict[str, Any]]:
    """One row for protocol and side: `windows`, and `copies` made of them by oversampling.

    A blend counts for both windows it is made of.
    """
    query = f"""
        SELECT protocol, side, sum(origin IS NULL) AS windows, sum(origin IS NOT NULL) AS copies
        FROM sample JOIN side ON side.sample = sample.id
        WHERE sample.id IN ({_SAMPLES_OF.format(clips=CLIPS_OF[kind])})
        GROUP BY protocol, side ORDER BY protocol, side"""
    return [dict(row) for row in database.execute(query, {"id": name})]


def sample_ids(database: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """The ids of all windows, copies and blends that derive from `name`, sorted."""
    query = f"{_SAMPLES_OF.format(clips=CLIPS_OF[kind])} ORDER BY id"
    return [row["id"] for row in database.execute(query, {"id": name})]


def sides_of_sample(database: sqlite3.Connection, name: str) -> dict[str, str]:
    """Side by protocol."""
    rows = database.execute("SELECT protocol, side FROM side WHERE sample = ?", (name,))
    return {row["protocol"]: row["side"] for row in rows}


def copies_of(database: sqlite3.Connection, name: str) -> list[str]:
    """The oversampled copies of a sample, and the blends it is a partner in."""
    query = "SELECT id FROM sample WHERE origin = :id OR partner = :id ORDER BY id"
    rows = database.execute(query, {"id": name})
    return [row["id"] for row in rows]


def class_counts(database: sqlite3.Connection, protocol: str) -> dict[str, dict[str, int]]:
    """Side > label > windows, oversampled copies included."""
    counts: dict[str, dict[str, int]] = {}
    for row in database.execute(
        "SELECT side, label, n FROM balance WHERE protocol = ? ORDER BY side, label", (protocol,)
    ):
        counts.setdefault(row["side"], {})[row["label"]] = row["n"]
    return counts


def both_sides(database: sqlite3.Connection, protocol: str) -> list[str]:
    """The groups of people with windows on the training and on the test side, sorted."""
    query = "SELECT id FROM shared WHERE protocol = ? ORDER BY id"
    return [row["id"] for row in database.execute(query, (protocol,))]


def family_sides(database: sqlite3.Connection, clip: str) -> dict[str, dict[str, int]]:
    """Protocol > side > windows of the whole group of people that a clip belongs to."""
    query = """
        SELECT protocol, side, n FROM family
        WHERE id = (SELECT family FROM sample WHERE clip = ? LIMIT 1)"""
    sides: dict[str, dict[str, int]] = {}
    for row in database.execute(query, (clip,)):
        sides.setdefault(row["protocol"], {})[row["side"]] = row["n"]
    return sides


def _one(database: sqlite3.Connection, query: str, **values: str) -> dict[str, Any] | None:
    row = database.execute(query, values).fetchone()
    return dict(row) if row else None


def _hint(database: sqlite3.Connection, name: str) -> str:
    prefix = name.split("-")[0]
    tables = {"clip": "clip", "transfer": "clip", "portrait": "portrait", "identity": "person"}
    known = [f"model:{p}" for p in PROTOCOLS] + [f"metric:{p}" for p in PROTOCOLS]
    if prefix in tables:
        query = f"SELECT id FROM {tables[prefix]} WHERE id LIKE ? LIMIT 1000"
        known = [row["id"] for row in database.execute(query, (f"{prefix}-%",))] or known
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"the nearest is '{close[0]}'" if close else "`pallor find` lists its clips"
