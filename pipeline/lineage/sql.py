"""SQL on the index, read-only: what `pallor sql` answers."""

import re
import sqlite3
from collections.abc import Iterator

from pipeline.errors import StageError
from pipeline.naming import nearest

_READS = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
}  # fmt: skip


def rows(database: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    """The names of the columns, then the rows of one SELECT, streamed.

    Raises StageError for SQL that does more than read, for an unknown table or column (with the
    nearest known name) and for anything else that SQLite cannot answer.
    """
    refused: list[int] = []

    def allow(action: int, *_: str | None) -> int:
        if action in _READS:
            return sqlite3.SQLITE_OK
        refused.append(action)
        return sqlite3.SQLITE_DENY

    names = _names(database)  # before the authorizer, which would refuse the PRAGMA
    database.set_authorizer(allow)
    try:
        cursor = database.execute(query)
        if cursor.description is None:
            raise StageError("the SQL asks for nothing; begin with SELECT")
        yield tuple(column[0] for column in cursor.description)
        yield from (tuple(row) for row in cursor)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if refused:
            raise StageError("the index is read only; `pallor sql` takes one SELECT") from error
        raise StageError(f"the SQL cannot be answered: {_hint(str(error), names)}") from error
    finally:
        database.set_authorizer(None)


def _names(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Known tables and columns, under the word that SQLite's own messages use."""
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master "
                                                 "WHERE type = 'table' ORDER BY name")]  # fmt: skip
    columns = database.execute(
        "SELECT DISTINCT c.name FROM sqlite_master t, pragma_table_info(t.name) c "
        "WHERE t.type = 'table' ORDER BY c.name"
    )
    return {"table": tables, "column": [row[0] for row in columns]}


def _hint(message: str, names: dict[str, list[str]]) -> str:
    found = re.fullmatch(r"no such (table|column): (?:\w+\.)?(\w+)", message)
    if found is None:
        return message
    kind, name = found.groups()
    return f"'{name}' is no {kind} of the index; {nearest(name, names[kind])}"
