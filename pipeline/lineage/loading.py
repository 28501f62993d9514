"""The tables of a study, read into the index by DuckDB itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import StageError
from pipeline.records import short_id

# A clip's `person` drives its motion, its `portrait` is who is seen (null: the avatar itself).
_PERSON = "STRUCT(identity_id VARCHAR, age DOUBLE, sex VARCHAR, ethnicity VARCHAR)"
_PLAN = {
    "kind": "VARCHAR", "clip_id": "VARCHAR", "portrait_id": "VARCHAR", "key": "VARCHAR",
    "person": _PERSON, "driving_clip_id": "VARCHAR", "expression": "VARCHAR", "label": "VARCHAR",
    "targets": "VARCHAR", "cohort": "VARCHAR", "trained": "BOOLEAN", "scene": "JSON",
    "seed": "BIGINT", "licence": "VARCHAR", "consent": "VARCHAR", "origin": "VARCHAR",
    "file": "VARCHAR",
    "conditions": "STRUCT(kind VARCHAR, severity DOUBLE, side VARCHAR)[]",
}  # fmt: skip
_SAMPLE = {
    "sample_id": "VARCHAR", "clip_id": "VARCHAR", "start": "INTEGER", "length": "INTEGER",
    "label": "VARCHAR", "targets": "VARCHAR", "group": "VARCHAR", "side": "VARCHAR",
    "origin": "VARCHAR", "partner": "STRUCT(sample_id VARCHAR)",
}  # fmt: skip
_ANSWER = {
    "sample_id": "VARCHAR", "clip_id": "VARCHAR", "label": "VARCHAR", "predicted": "VARCHAR",
    "probabilities": "MAP(VARCHAR, DOUBLE)",
}  # fmt: skip
_LOST = {"clip_id": "VARCHAR", "reason": "VARCHAR", "detail": "VARCHAR"}
_MISFIT = """
SELECT kind FROM planned WHERE NOT coalesce(CASE kind
    WHEN 'clip' THEN clip_id IS NOT NULL AND person.identity_id IS NOT NULL
        AND expression IS NOT NULL AND json_exists(scene, '$.camera')
    WHEN 'portrait' THEN portrait_id IS NOT NULL AND person.identity_id IS NOT NULL
    WHEN 'transfer' THEN clip_id IS NOT NULL AND portrait_id IS NOT NULL
        AND driving_clip_id IS NOT NULL END, false)
"""
_PEOPLE = """
CREATE TABLE person AS SELECT DISTINCT ON (id) * FROM (
    SELECT person.identity_id AS id, person.age AS age, person.sex AS sex,
           person.ethnicity AS ethnicity FROM planned WHERE kind <> 'transfer') ORDER BY id;
CREATE TABLE portrait AS SELECT DISTINCT ON (id) portrait_id AS id, person.identity_id AS person,
    key, licence, consent, origin, file FROM planned WHERE kind = 'portrait' ORDER BY id;
CREATE TABLE lens AS SELECT text, camera_id(text) AS id FROM (
    SELECT DISTINCT CAST(scene->'$.camera' AS VARCHAR) AS text FROM planned WHERE kind = 'clip');
"""
# A transfer is driven by whoever drives its driving clip, and as ill as they are.
_CLIPS = """
CREATE TABLE driver AS SELECT DISTINCT ON (clip_id) clip_id AS id,
    person.identity_id AS person, conditions FROM planned WHERE kind = 'clip';
CREATE TABLE shown AS SELECT DISTINCT ON (clip_id)
    clip_id AS id, if(kind = 'clip', 'avatar', 'transfer') AS kind, key, portrait_id AS portrait,
    coalesce(driving_clip_id, clip_id) AS driving, expression, label,
    coalesce(targets, '{}') AS targets, cohort, trained,
    CAST(scene->'$.camera' AS VARCHAR) AS camera, seed FROM planned WHERE kind <> 'portrait';
CREATE TABLE condition AS SELECT shown.id AS clip, c.kind AS kind, c.severity AS severity,
    c.side AS side FROM shown JOIN driver ON driver.id = shown.driving,
    unnest(driver.conditions) AS list(c) ORDER BY clip;
"""
_STATES = """
CREATE TABLE clip AS SELECT shown.id, shown.kind, shown.key, driver.person, shown.portrait,
    shown.driving, shown.expression, shown.label, shown.targets, shown.cohort, shown.trained,
    lens.id AS camera, shown.seed,
    if(lost.clip_id IS NOT NULL, 'quarantined', if(kept.clip_id IS NOT NULL, 'kept', 'planned'))
        AS status, lost.reason, lost.detail
FROM shown LEFT JOIN driver ON driver.id = shown.driving LEFT JOIN lens ON lens.text = shown.camera
LEFT JOIN kept ON kept.clip_id = shown.id LEFT JOIN lost ON lost.clip_id = shown.id
ORDER BY shown.id;
DROP TABLE shown; DROP TABLE driver; DROP TABLE lens; DROP TABLE kept; DROP TABLE lost;
"""


def camera_id(scene: Mapping[str, Any]) -> str:
    """`camera-` and ten hex digits: equal for clips seen through the same camera."""
    return short_id("camera", scene["camera"])


def load_plan(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    """`person`, `portrait` and `condition`, and what `load_faces` makes of the clips."""
    database.create_function("camera_id", _camera_of, ["VARCHAR"], "VARCHAR")
    _read(database, "planned", path, _PLAN)
    if found := database.execute(_MISFIT).fetchone():
        raise StageError(f"{path} has a row that is none of a plan's (its kind: {found[0]})")
    database.execute(_PEOPLE + _CLIPS)
    database.execute("DROP TABLE planned")


def load_faces(database: duckdb.DuckDBPyConnection, faces: Path) -> None:
    """`clip`: planned, kept, or quarantined for a reason."""
    _read(database, "kept", faces / "faces.jsonl", {"clip_id": "VARCHAR"})
    _read(database, "lost", faces / "quarantine.jsonl", _LOST)
    database.execute(_STATES)


def load_samples(
    database: duckdb.DuckDBPyConnection, tables: Mapping[tuple[str, str], Path]
) -> None:
    """`sample`: windows and their oversampled copies; `side`: where they stand.

    A window has a side in each draw of the split (`task` is ''), and in each task that asks about
    it, there with its class and its copies.
    """
    database.execute(
        "CREATE TABLE sample (id VARCHAR, clip VARCHAR, start INTEGER, length INTEGER, "
        "label VARCHAR, targets VARCHAR, family VARCHAR, origin VARCHAR, partner VARCHAR)"
    )
    database.execute("CREATE TABLE side (task VARCHAR, draw VARCHAR, sample VARCHAR, side VARCHAR, "
                     "label VARCHAR)")  # fmt: skip
    for (task, draw), table in tables.items():
        _read(database, "cut", table, _SAMPLE)
        database.execute(
            "INSERT INTO sample SELECT DISTINCT ON (sample_id) sample_id, clip_id, start, length, "
            "label, coalesce(targets, '{}'), \"group\", origin, partner.sample_id FROM cut "
            "ANTI JOIN sample ON sample.id = cut.sample_id"
        )
        database.execute(
            "INSERT INTO side SELECT ?, ?, sample_id, side, label FROM cut", [task, draw]
        )
        database.execute("DROP TABLE cut")


def load_answers(
    database: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str, str, str], Path],
    main: tuple[str, str, str],
) -> None:
    """`answer`: what each model said of its test side; `error` of a clip: 1 less the mean
    probability of its class; `main`: the trial that a study is known by."""
    database.execute(
        "CREATE TABLE answer (task VARCHAR, model VARCHAR, protocol VARCHAR, draw VARCHAR, "
        "sample VARCHAR, clip VARCHAR, label VARCHAR, predicted VARCHAR, sure DOUBLE)"
    )
    for key, table in tables.items():
        _read(database, "said", table, _ANSWER)
        database.execute(
            "INSERT INTO answer SELECT ?, ?, ?, ?, sample_id, clip_id, label, predicted, "
            "coalesce(probabilities[label], 0) FROM said",
            list(key),
        )
        database.execute("DROP TABLE said")
    database.execute("CREATE TABLE main AS SELECT ? AS task, ? AS model, ? AS protocol", list(main))
    database.execute(
        "CREATE TABLE error AS SELECT task, model, protocol, clip, 1 - avg(sure) AS error "
        "FROM answer GROUP BY ALL ORDER BY clip"
    )


def _camera_of(camera: str) -> str:
    return camera_id({"camera": json.loads(camera)})


def _read(
    database: duckdb.DuckDBPyConnection, name: str, path: Path, columns: Mapping[str, str]
) -> None:
    """A JSON-lines file as a table of these columns; without rows when there is no file."""
    typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    database.execute(f"CREATE TABLE {name} ({typed})")
    if not path.is_file() or not path.stat().st_size:
        return
    told = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    try:
        database.execute(
            f"INSERT INTO {name} SELECT * FROM read_json(?, format = 'newline_delimited', "
            f"columns = {{{told}}}, maximum_object_size = 200000000)",
            [str(path)],
        )
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise StageError(
            f"{path} cannot be read as a table of the corpus ({said}); run its stage again"
        ) from error
