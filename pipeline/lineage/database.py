"""DuckDB as the index asks for it: one file, opened to be read and for nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]

# Whoever asks may neither write nor reach another file, this program's variables or the network.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false", "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false", "lock_configuration": "true",
}  # fmt: skip
_NAMED = re.compile(r"\$(\w+)")


class Index:
    """A study's index, open for questions; threads may share it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str, **values: Any) -> list[Row]:
        """The rows of a question with its `$names` filled in; values that it lacks are left out."""
        return list(self.stream(query, **values))

    def stream(self, query: str, **values: Any) -> Iterator[Row]:
        """As `rows`, one after the other."""
        cursor = self.cursor(query, **values)
        names = [column[0] for column in cursor.description]
        while found := cursor.fetchmany(1000):
            yield from (dict(zip(names, row, strict=True)) for row in found)

    def one(self, query: str, **values: Any) -> Row | None:
        """The first row, or None."""
        return next(self.stream(query, **values), None)

    def column(self, query: str, **values: Any) -> list[Any]:
        """The first column."""
        return [row[0] for row in self.cursor(query, **values).fetchall()]

    def cursor(self, query: str, **values: Any) -> duckdb.DuckDBPyConnection:
        """A cursor of its own, executed: one that is shared would mix up two threads' answers."""
        asked = {name: values[name] for name in set(_NAMED.findall(query))}
        return self._connection.cursor().execute(query, asked or None)

    def close(self) -> None:
        """No more questions."""
        self._connection.close()


def read_only(path: Path) -> Index:
    """The index in a file, that can be read and not written."""
    return Index(duckdb.connect(str(path), read_only=True, config=LOCKED))
