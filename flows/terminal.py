"""Answers as people and programs want them: rich tables on a terminal, plain text, or JSON.

Colour follows the terminal; NO_COLOR takes it away (rich reads it). Whatever is piped is plain.
"""

import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any


def on_terminal() -> bool:
    """Does a person look at what is printed, on a terminal that can move its cursor?"""
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def say_json(answer: Any) -> None:
    """Print one JSON document: paths as text, tuples and sets as lists, no figure as null."""
    print(json.dumps(_plain(answer), indent=2, default=str))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]], plain: Sequence[str]) -> None:
    """Print `rows` below `columns` as a table on a terminal, else the `plain` lines."""
    if not on_terminal():
        print("\n".join(plain), flush=True)
        return
    from rich.console import Console  # a tenth of a second that a pipe is spared
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        figures = bool(rows) and all(row[number][:1].isdecimal() for row in rows)
        table.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOUR.get(cell, "")) for cell in row))
    Console(highlight=False).print(table)


_COLOUR = {"ok": "green", "FAIL": "bold red", "up to date": "green"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no infinity
    return value
