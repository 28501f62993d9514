"""SQL on the index, read-only: what `pallor sql` answers."""

import re
from collections.abc import Iterator

import duckdb

from pipeline.errors import StageError
from pipeline.lineage.database import Index
from pipeline.naming import nearest

# DuckDB's own words on what it does not find.
_UNKNOWN = {
    "table": re.compile(r"Table with name (\w+) does not exist"),
    "column": re.compile(r'(?:column "(\w+)" not found|have a column named "(\w+)")'),
}
_NAMES = {
    "table": "SELECT DISTINCT table_name FROM duckdb_columns() WHERE NOT internal ORDER BY 1",
    "column": "SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal ORDER BY 1",
}


def rows(index: Index, query: str) -> Iterator[tuple[object, ...]]:
    """The names of the columns, then the rows of one SELECT, streamed.

    Raises StageError for SQL that does more than read, for an unknown table or column (with the
    nearest known name) and for anything else that DuckDB cannot answer.
    """
    try:
        _require_select(query)
        cursor = index.cursor(query)
        yield tuple(column[0] for column in cursor.description)
        while found := cursor.fetchmany(1000):
            yield from found
    except (KeyError, duckdb.Error) as error:
        if isinstance(error, KeyError):  # a parameter that nobody fills in
            raise StageError(f"the SQL cannot be answered: ${error.args[0]} is unknown") from error
        if isinstance(error, duckdb.PermissionException):
            raise StageError("`pallor sql` reads the index and no other file") from error
        raise StageError(f"the SQL cannot be answered: {_hint(str(error), index)}") from error


def _require_select(query: str) -> None:
    statements = duckdb.extract_statements(query)
    if not statements:
        raise StageError("the SQL asks for nothing; begin with SELECT")
    if any(found.type != duckdb.StatementType.SELECT for found in statements):
        raise StageError("the index is read only; `pallor sql` takes one SELECT")
    if len(statements) > 1:
        raise StageError("the SQL cannot be answered: give one statement at a time")


def _hint(message: str, index: Index) -> str:
    for kind, said in _UNKNOWN.items():
        if found := said.search(message):
            name = next(part for part in found.groups() if part)
            return (
                f"'{name}' is no {kind} of the index; {nearest(name, index.column(_NAMES[kind]))}"
            )
    return message.splitlines()[0]
