"""What the index measures of the clips' files: how far each unit goes, and the skin's tone.

A file that is still as it was is not opened again, so a new index of an old corpus is quick.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import duckdb
import numpy as np

from pipeline.evaluation.tone import tone
from pipeline.lineage.database import Index, read_only
from pipeline.workspace import Workspace

# `peak`: the most that a clip's executed units reach in [0, 1], on each own side; a transferred
# clip has those of its driving clip. `tone`: dark, medium or light, as its first crop shows it.
_TABLES = """
CREATE TABLE measured (clip VARCHAR, stamp VARCHAR, unit VARCHAR, own_left FLOAT, own_right FLOAT);
CREATE TABLE toned (clip VARCHAR, stamp VARCHAR, tone VARCHAR);
"""
_JOINED = """
CREATE TABLE peak AS SELECT clip.id AS clip, unit, own_left AS "left", own_right AS "right"
    FROM clip JOIN measured ON measured.clip = clip.driving WHERE unit IS NOT NULL ORDER BY clip.id;
CREATE VIEW tone AS SELECT clip, tone FROM toned WHERE tone IS NOT NULL;
"""
ROWS = 20_000  # measured at once


def load(database: duckdb.DuckDBPyConnection, files: Workspace, before: Path) -> None:
    """`peak` and `tone` of every clip whose file is there; an index `before` is asked first."""
    database.execute(_TABLES)
    names = [row[0] for row in database.execute("SELECT id FROM clip ORDER BY id").fetchall()]
    _fill(database, "measured", names, files.clips, ".npz", _peaks, before)
    _fill(database, "toned", names, files.faces, ".mp4", _tone, before)
    database.execute(_JOINED)


def _fill(
    database: duckdb.DuckDBPyConnection, table: str, names: list[str], folder: Path, ending: str,
    measure: Callable[[Path], list[tuple[Any, ...]]], before: Path,
) -> None:  # fmt: skip
    known = _known(before, table)
    rows: list[tuple[Any, ...]] = []
    for name, path in _there(names, folder, ending):
        stat = path.stat()
        stamp = f"{stat.st_size}:{stat.st_mtime_ns}"
        had = known.get((name, stamp))
        rows += [(name, stamp, *row) for row in (measure(path) if had is None else had)]
        if len(rows) >= ROWS:
            _insert(database, table, rows)
            rows = []
    _insert(database, table, rows)


def _there(names: list[str], folder: Path, ending: str) -> Iterator[tuple[str, Path]]:
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    yield from ((name, folder / f"{name}{ending}") for name in names if f"{name}{ending}" in found)


def _known(before: Path, table: str) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    known: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    if before.is_file():
        try:
            with closing(read_only(before)) as index:
                for name, stamp, *row in _all(index, table):
                    known.setdefault((name, stamp), []).append(tuple(row))
        except duckdb.Error:  # of another form, or cut short
            return {}
    return known


def _all(index: Index, table: str) -> list[tuple[Any, ...]]:
    return index.cursor(f"SELECT * FROM {table}").fetchall()


def _insert(database: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """All rows in one statement: row by row DuckDB takes a thousand times as long."""
    if rows:
        columns = list(zip(*rows, strict=True))
        lists = ", ".join(f"unnest(${number + 1})" for number in range(len(columns)))
        database.execute(f"INSERT INTO {table} SELECT {lists}", [list(c) for c in columns])


def _peaks(path: Path) -> list[tuple[Any, ...]]:
    """(unit, left, right) of every unit; one row of nothing where the file has none."""
    try:
        with np.load(path, allow_pickle=False) as truth:
            units, most = truth["units"].tolist(), truth["executed"].max(axis=0).tolist()
        return [(unit, left, right) for unit, (left, right) in zip(units, most, strict=True)]
    except (OSError, ValueError, EOFError, LookupError, BadZipFile):
        return [(None, None, None)]


def _tone(path: Path) -> list[tuple[Any, ...]]:
    video = cv2.VideoCapture(str(path))
    try:
        there, frame = video.read()
    finally:
        video.release()
    return [(tone(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) if there else None,)]
