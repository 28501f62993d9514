"""Questions to the index: what is this id, which clips fit, what derives from it."""

import math
import sqlite3
from collections.abc import Mapping
from typing import Any

from pipeline.errors import StageError
from pipeline.naming import nearest

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
# Who is seen: the portrait's person, or the avatar itself.
_SEEN = "coalesce((SELECT p.person FROM portrait p WHERE p.id = clip.portrait), clip.person)"
FILTERS = {
    "identity": f"id IN ({CLIPS_OF['identity'].replace(':id', ':identity')})",
    "portrait": "portrait = :portrait",
    "expression": "expression = :expression",
    "camera": f"id IN ({CLIPS_OF['camera'].replace(':id', ':camera')})",
    "label": "label = :label",
    "cohort": "cohort = :cohort",
    "kind": "kind = :kind",
    "status": "status = :status",
    "sex": f"{_SEEN} IN (SELECT id FROM person WHERE sex = :sex)",
    "age": f"{_SEEN} IN (SELECT id FROM person WHERE age BETWEEN :youngest AND :oldest)",
}

_FIXED = {"kind": ("avatar", "transfer"), "status": ("kept", "quarantined", "planned")}


def kind_of(database: sqlite3.Connection, name: str) -> str:
    """Which of KINDS an id or name is; StageError with the nearest known id when it is none."""
    if trial := _one(database, "SELECT kind FROM trial WHERE id = :id", id=name):
        return str(trial["kind"])
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
    """An id as it is, or the id behind a key for people: "3/smiling", "photo/astronaut".

    "model:folds-1" and "metric:folds" stand for the one of that name where a study trains one.
    """
    for table in ("clip", "portrait"):
        row = _one(database, f"SELECT id FROM {table} WHERE key = :key", key=name)
        if row:
            return str(row["id"])
    kind, colon, last = name.partition(":")
    rows = database.execute(
        "SELECT id FROM trial WHERE kind = ? AND coalesce(draw, protocol) = ?", (kind, last)
    ).fetchall()
    return str(rows[0]["id"]) if colon and len(rows) == 1 else name


def find(
    database: sqlite3.Connection, filters: Mapping[str, str], side: tuple[str, str] | None = None
) -> list[str]:
    """The ids of the clips that fit every filter (keys of FILTERS), sorted.

    `side` is (draw, side): only clips with a window there.
    """
    where = [FILTERS[name] for name in filters]
    values: dict[str, str | float] = dict(filters)
    if "age" in filters:
        values["youngest"], values["oldest"] = parse_range(filters["age"])
    if side:
        where.append(
            "id IN (SELECT clip FROM sample JOIN side ON side.sample = sample.id "
            "WHERE task = '' AND draw = :draw AND side = :side)"
        )
        values |= {"draw": side[0], "side": side[1]}
    clause = " AND ".join(where) or "1"
    rows = database.execute(f"SELECT id FROM clip WHERE {clause} ORDER BY id", values)
    return [row["id"] for row in rows]


def meant(database: sqlite3.Connection, filters: Mapping[str, str]) -> dict[str, str]:
    """The filters of `find` with every key as `explain` knows it in the place of its id.

    A key of a portrait or a clip stands for its person and camera too. Raises StageError for a
    name that no table holds.
    """
    return {name: _meant(database, name, value) for name, value in filters.items()}


def parse_range(text: str) -> tuple[float, float]:
    """The ends, both included, of "60:", ":30", "30:60" or "45"; StageError for anything else."""
    low, colon, high = text.partition(":")
    try:
        youngest = float(low) if low else -math.inf
        oldest = float(high) if high else math.inf if colon else youngest
    except ValueError:
        youngest, oldest = math.nan, math.nan
    if not text.strip(":") or not youngest <= oldest:  # also false for NaN
        raise StageError(f"'{text}' is no range; write 60: or :30 or 30:60 or 45")
    return youngest, oldest


def _meant(database: sqlite3.Connection, name: str, value: str) -> str:
    if name == "age":
        parse_range(value)
        return value
    if name == "sex":
        sexes = _values(database, "SELECT DISTINCT sex FROM person WHERE sex <> '' ORDER BY sex")
        if value not in sexes:
            raise StageError(f"'{value}' is no sex of this corpus; {nearest(value, sexes)}")
        return value
    if name in _FIXED or name in ("label", "cohort"):
        known = _FIXED.get(name) or _values(database, f"SELECT DISTINCT {name} FROM clip")
        if value not in known:
            raise StageError(f"'{value}' is no {name}; {nearest(value, known)}")
        return value
    found = resolve(database, value)
    kind = kind_of(database, found)
    if kind in ("clip", "portrait") and kind != name:
        column = {"identity": "person"}.get(name, name)
        return str(row_of(database, kind, found).get(column) or found)
    return found


def parse_side(database: sqlite3.Connection, text: str) -> tuple[str, str]:
    """(draw, side) of "folds-1:test"; StageError, with an example, for anything else."""
    known = _values(database, "SELECT DISTINCT draw || ':' || side FROM side WHERE task = ''")
    if text not in known:
        raise StageError(f"'{text}' is no side; {nearest(text, known)}")
    draw, _, side = text.partition(":")
    return draw, side


def derived_clips(database: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """The ids of all clips that `name` (a key of CLIPS_OF) is in, itself included."""
    return [row["id"] for row in database.execute(CLIPS_OF[kind], {"id": name})]


# The windows and copies cut from the clips of a thing, and the blends they are partners in.
_SAMPLES_OF = """
    SELECT id FROM sample WHERE clip IN ({clips}) UNION
    SELECT blend.id FROM sample own JOIN sample blend ON blend.partner = own.id
    WHERE own.clip IN ({clips})"""


def derived_samples(database: sqlite3.Connection, kind: str, name: str) -> list[dict[str, Any]]:
    """One row a task, draw and side: `windows`, and `copies` made of them by oversampling.

    A blend counts for both windows it is made of.
    """
    query = f"""
        SELECT task, draw, side, sum(origin IS NULL) AS windows, sum(origin IS NOT NULL) AS copies
        FROM sample JOIN side ON side.sample = sample.id
        WHERE task <> '' AND sample.id IN ({_SAMPLES_OF.format(clips=CLIPS_OF[kind])})
        GROUP BY task, draw, side ORDER BY task, draw, side"""
    return [dict(row) for row in database.execute(query, {"id": name})]


def sample_ids(database: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """The ids of all windows, copies and blends that derive from `name`, sorted."""
    query = f"{_SAMPLES_OF.format(clips=CLIPS_OF[kind])} ORDER BY id"
    return [row["id"] for row in database.execute(query, {"id": name})]


def sides_of_sample(database: sqlite3.Connection, name: str) -> dict[str, str]:
    """Side by draw; a copy is on the side of its origin."""
    rows = database.execute("SELECT DISTINCT draw, side FROM side WHERE sample = ?", (name,))
    return {row["draw"]: row["side"] for row in rows}


def trial(database: sqlite3.Connection, name: str) -> dict[str, Any]:
    """`task`, `model`, `protocol` and, of a model, `draw` behind an id of either kind."""
    found = _one(database, "SELECT task, model, protocol, draw FROM trial WHERE id = :id", id=name)
    assert found is not None
    return found


def models_of(database: sqlite3.Connection, rows: list[dict[str, Any]]) -> list[str]:
    """The models that saw the samples of `derived_samples`: those not on the test side."""
    seen = {(row["task"], row["draw"]) for row in rows if row["side"] != "test"}
    return [m["id"] for m in _models(database) if (m["task"], m["draw"]) in seen]


def metrics_of(database: sqlite3.Connection, rows: list[dict[str, Any]]) -> list[str]:
    """The metrics that judge the samples of `derived_samples`: those on the test side."""
    seen = {(row["task"], row["draw"]) for row in rows if row["side"] == "test"}
    judged = [m for m in _models(database) if (m["task"], m["draw"]) in seen]
    return sorted({f"metric:{m['task']}/{m['model']}/{m['protocol']}" for m in judged})


def asked_of_sample(database: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    """Task, draw and side of a sample in each task that asks about it."""
    query = "SELECT task, draw, side FROM side WHERE sample = ? AND task <> ''"
    return [dict(row) for row in database.execute(query, (name,))]


def _models(database: sqlite3.Connection) -> list[sqlite3.Row]:
    return database.execute("SELECT * FROM trial WHERE kind = 'model' ORDER BY id").fetchall()


def _values(database: sqlite3.Connection, query: str) -> list[str]:
    return [str(row[0]) for row in database.execute(query)]


def copies_of(database: sqlite3.Connection, name: str) -> list[str]:
    """The oversampled copies of a sample, and the blends it is a partner in."""
    query = "SELECT id FROM sample WHERE origin = :id OR partner = :id ORDER BY id"
    rows = database.execute(query, {"id": name})
    return [row["id"] for row in rows]


def class_counts(database: sqlite3.Connection, task: str, draw: str) -> dict[str, dict[str, int]]:
    """Side > class > windows, oversampled copies included."""
    query = "SELECT side, label, n FROM balance WHERE task = ? AND draw = ? ORDER BY side, label"
    counts: dict[str, dict[str, int]] = {}
    for row in database.execute(query, (task, draw)):
        counts.setdefault(row["side"], {})[row["label"]] = row["n"]
    return counts


def both_sides(database: sqlite3.Connection, draw: str) -> list[str]:
    """The groups of people with windows on more than one side of a draw, sorted."""
    query = "SELECT id FROM shared WHERE draw = ? ORDER BY id"
    return [row["id"] for row in database.execute(query, (draw,))]


def family_sides(database: sqlite3.Connection, clip: str) -> dict[str, dict[str, int]]:
    """Draw > side > windows of the whole group of people that a clip belongs to."""
    query = """
        SELECT draw, side, n FROM family
        WHERE id = (SELECT family FROM sample WHERE clip = ? LIMIT 1)"""
    sides: dict[str, dict[str, int]] = {}
    for row in database.execute(query, (clip,)):
        sides.setdefault(row["draw"], {})[row["side"]] = row["n"]
    return sides


def _one(database: sqlite3.Connection, query: str, **values: str) -> dict[str, Any] | None:
    row = database.execute(query, values).fetchone()
    return dict(row) if row else None


def _hint(database: sqlite3.Connection, name: str) -> str:
    prefix = name.split("-")[0]
    tables = {"clip": "clip", "transfer": "clip", "portrait": "portrait", "identity": "person"}
    known = _values(database, "SELECT id FROM trial")
    if prefix in tables:
        query = f"SELECT id FROM {tables[prefix]} WHERE id LIKE ? LIMIT 1000"
        known = [row["id"] for row in database.execute(query, (f"{prefix}-%",))] or known
    hint = nearest(name, known)
    return hint if hint.startswith("the nearest") else "`pallor find` lists its clips"
