"""Questions to the index: what is this id, and what derives from it."""

from typing import Any

from pipeline.errors import StageError
from pipeline.lineage.database import Index, Row
from pipeline.naming import nearest

FIRST = 20  # ids named in an answer; the count is always whole
KINDS = ("clip", "portrait", "identity", "camera", "sample", "expression", "model", "metric")

# The clips that derive from one thing; `$id` is the thing.
CLIPS_OF = {
    "clip": "SELECT id FROM clip WHERE id = $id UNION SELECT id FROM clip WHERE driving = $id",
    "portrait": "SELECT id FROM clip WHERE portrait = $id",
    "identity": "SELECT id FROM clip WHERE person = $id UNION SELECT clip.id FROM portrait "
    "JOIN clip ON clip.portrait = portrait.id WHERE portrait.person = $id",
    "camera": "SELECT id FROM clip WHERE camera = $id UNION SELECT t.id FROM clip c "
    "JOIN clip t ON t.driving = c.id WHERE c.camera = $id",
    "expression": "SELECT id FROM clip WHERE expression = $id",
}
_FOUND_IN = {"clip": "clip", "portrait": "portrait", "identity": "person", "sample": "sample"}


def kind_of(database: Index, name: str) -> str:
    """Which of KINDS an id or name is; StageError with the nearest known id when it is none."""
    if trial := database.one("SELECT kind FROM trial WHERE id = $id", id=name):
        return str(trial["kind"])
    for kind, table in _FOUND_IN.items():
        if database.one(f"SELECT 1 FROM {table} WHERE id = $id", id=name):
            return kind
    for kind in ("camera", "expression"):
        if database.one(f"SELECT 1 FROM clip WHERE {kind} = $id LIMIT 1", id=name):
            return kind
    raise StageError(f"'{name}' is in no table of this corpus; {_hint(database, name)}")


def row_of(database: Index, kind: str, name: str) -> dict[str, Any]:
    """The index's facts on a clip, portrait, identity or sample."""
    row = database.one(f"SELECT * FROM {_FOUND_IN[kind]} WHERE id = $id", id=name)
    if row is None:
        raise StageError(f"'{name}' is no {kind} of this corpus")
    return row


def resolve(database: Index, name: str) -> str:
    """An id as it is, or the id behind a key for people: "3/smiling", "photo/astronaut".

    "model:folds-1" and "metric:folds" stand for the one of that name where a study trains one.
    """
    for table in ("clip", "portrait"):
        row = database.one(f"SELECT id FROM {table} WHERE key = $key", key=name)
        if row:
            return str(row["id"])
    kind, colon, last = name.partition(":")
    rows = database.rows(
        "SELECT id FROM trial WHERE kind = $kind AND coalesce(draw, protocol) = $last",
        kind=kind, last=last,
    )  # fmt: skip
    return str(rows[0]["id"]) if colon and len(rows) == 1 else name


def numbered(database: Index, number: str) -> str:
    """The id of the avatar with that number in the study: clips 3/smiling and 3/blink show one.

    Raises StageError for a number that no clip has.
    """
    first = "split_part(key, '/', 1)"
    rows = database.rows(f"SELECT {first} AS number, person FROM clip WHERE kind = 'avatar'")
    people = {int(row["number"]): str(row["person"]) for row in rows if row["number"].isdecimal()}
    if int(number) in people:
        return people[int(number)]
    known = f"from {min(people)} to {max(people)}" if people else "of none"
    raise StageError(f"no clip is of person {number}; this corpus has avatars {known}")


def derived_clips(database: Index, kind: str, name: str) -> list[str]:
    """The ids of all clips that `name` (a key of CLIPS_OF) is in, itself included."""
    return [str(clip) for clip in database.column(f"{CLIPS_OF[kind]} ORDER BY id", id=name)]


# The windows and copies cut from the clips of a thing, and the blends they are partners in.
_SAMPLES_OF = """
    SELECT id FROM sample WHERE clip IN ({clips}) UNION
    SELECT blend.id FROM sample own JOIN sample blend ON blend.partner = own.id
    WHERE own.clip IN ({clips})"""


def derived_samples(database: Index, kind: str, name: str) -> list[dict[str, Any]]:
    """One row a task, draw and side: `windows`, and `copies` made of them by oversampling.

    A blend counts for both windows it is made of.
    """
    query = f"""
        SELECT task, draw, side, count(*) FILTER (origin IS NULL) AS windows,
               count(*) FILTER (origin IS NOT NULL) AS copies
        FROM sample JOIN side ON side.sample = sample.id
        WHERE task <> '' AND sample.id IN ({_SAMPLES_OF.format(clips=CLIPS_OF[kind])})
        GROUP BY task, draw, side ORDER BY task, draw, side"""
    return database.rows(query, id=name)


def sample_ids(database: Index, kind: str, name: str) -> list[str]:
    """The ids of all windows, copies and blends that derive from `name`, sorted."""
    query = f"{_SAMPLES_OF.format(clips=CLIPS_OF[kind])} ORDER BY id"
    return [str(sample) for sample in database.column(query, id=name)]


def sides_of_sample(database: Index, name: str) -> dict[str, str]:
    """Side by draw; a copy is on the side of its origin."""
    rows = database.rows("SELECT DISTINCT draw, side FROM side WHERE sample = $id", id=name)
    return {row["draw"]: row["side"] for row in rows}


def trial(database: Index, name: str) -> dict[str, Any]:
    """`task`, `model`, `protocol` and, of a model, `draw` behind an id of either kind."""
    found = database.one("SELECT task, model, protocol, draw FROM trial WHERE id = $id", id=name)
    assert found is not None
    return found


def models_of(database: Index, rows: list[dict[str, Any]]) -> list[str]:
    """The models that saw the samples of `derived_samples`: those not on the test side."""
    seen = {(row["task"], row["draw"]) for row in rows if row["side"] != "test"}
    return [m["id"] for m in _models(database) if (m["task"], m["draw"]) in seen]


def metrics_of(database: Index, rows: list[dict[str, Any]]) -> list[str]:
    """The metrics that judge the samples of `derived_samples`: those on the test side."""
    seen = {(row["task"], row["draw"]) for row in rows if row["side"] == "test"}
    judged = [m for m in _models(database) if (m["task"], m["draw"]) in seen]
    return sorted({f"metric:{m['task']}/{m['model']}/{m['protocol']}" for m in judged})


def asked_of_sample(database: Index, name: str) -> list[dict[str, Any]]:
    """Task, draw and side of a sample in each task that asks about it."""
    query = "SELECT task, draw, side FROM side WHERE sample = $id AND task <> ''"
    return database.rows(f"{query} ORDER BY ALL", id=name)


def _models(database: Index) -> list[Row]:
    return database.rows("SELECT * FROM trial WHERE kind = 'model' ORDER BY id")


def copies_of(database: Index, name: str) -> list[str]:
    """The oversampled copies of a sample, and the blends it is a partner in."""
    query = "SELECT id FROM sample WHERE origin = $id OR partner = $id ORDER BY id"
    return [str(sample) for sample in database.column(query, id=name)]


def class_counts(database: Index, task: str, draw: str) -> dict[str, dict[str, int]]:
    """Side > class > windows, oversampled copies included."""
    query = (
        "SELECT side, label, n FROM balance WHERE task = $task AND draw = $draw "
        "ORDER BY side, label"
    )
    counts: dict[str, dict[str, int]] = {}
    for row in database.stream(query, task=task, draw=draw):
        counts.setdefault(row["side"], {})[row["label"]] = row["n"]
    return counts


def both_sides(database: Index, draw: str) -> list[str]:
    """The groups of people with windows on more than one side of a draw, sorted."""
    query = "SELECT id FROM shared WHERE draw = $draw ORDER BY id"
    return [str(name) for name in database.column(query, draw=draw)]


def family_sides(database: Index, clip: str) -> dict[str, dict[str, int]]:
    """Draw > side > windows of the whole group of people that a clip belongs to."""
    query = """
        SELECT draw, side, n FROM family
        WHERE id = (SELECT family FROM sample WHERE clip = $clip LIMIT 1) ORDER BY ALL"""
    sides: dict[str, dict[str, int]] = {}
    for row in database.stream(query, clip=clip):
        sides.setdefault(row["draw"], {})[row["side"]] = row["n"]
    return sides


def _hint(database: Index, name: str) -> str:
    prefix = name.split("-")[0]
    tables = {"clip": "clip", "transfer": "clip", "portrait": "portrait", "identity": "person"}
    known = database.column("SELECT id FROM trial ORDER BY id")
    if prefix in tables:
        query = f"SELECT id FROM {tables[prefix]} WHERE id LIKE $like LIMIT 1000"
        known = database.column(query, like=f"{prefix}-%") or known
    hint = nearest(name, known)
    return hint if hint.startswith("the nearest") else "`pallor find` lists its clips"
