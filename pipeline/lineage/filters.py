"""Which clips fit: the attributes that `pallor find` and the page of `pallor view` ask by."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage import query
from pipeline.lineage.attributes import NAMES
from pipeline.lineage.database import Index
from pipeline.naming import nearest
from pipeline.splits.groups import AGE_LIMITS

BANDS = {
    f"under {AGE_LIMITS[0]}": f"age < {AGE_LIMITS[0]}",
    f"{AGE_LIMITS[0]} to {AGE_LIMITS[1] - 1}": f"age >= {AGE_LIMITS[0]} AND age < {AGE_LIMITS[1]}",
    f"{AGE_LIMITS[1]}+": f"age >= {AGE_LIMITS[1]}",
    "unknown": "age IS NULL",
}
RANGES = ("age", "severity", "error", "unit")
IDS = ("identity", "portrait", "camera", "expression")  # of which a key may stand in the place
WORDS = ("label", "cohort", "kind", "status", "reason", "sex", "tone")  # columns of `seen`
_FIXED = {"kind": ("avatar", "transfer"), "status": ("kept", "quarantined", "planned")}
_UNIT = re.compile(r"(\w+?)([LR]?)=(.+)")
Clause = tuple[str, dict[str, Any]]


def find(index: Index, filters: Mapping[str, str]) -> list[str]:
    """The ids of the clips that fit every filter (keys of NAMES), sorted."""
    where, values = clause(filters)
    return [str(name) for name in index.column(
        f"SELECT id FROM seen WHERE {where} ORDER BY id", **values)]  # fmt: skip


def clause(filters: Mapping[str, str]) -> Clause:
    """SQL over `seen` that holds for the clips that fit, and its values.

    Raises StageError for an unknown filter, with the nearest, and for a range that is none.
    """
    parts: list[str] = []
    values: dict[str, Any] = {}
    for name, value in filters.items():
        if name not in NAMES:
            raise StageError(f"'{name}' is no attribute of a clip; {nearest(name, NAMES)}")
        text, found = _CLAUSES.get(name, _word)(name, value)
        parts.append(f"({text})")
        values |= found
    if {"condition", "severity"} <= set(filters):  # of one and the same condition
        parts.append(
            "id IN (SELECT clip FROM condition WHERE kind = $condition "
            "AND severity BETWEEN $severity_low AND $severity_high)"
        )
    return " AND ".join(parts) or "true", values


def meant(index: Index, filters: Mapping[str, str]) -> dict[str, str]:
    """The filters with every key as `explain` knows it in the place of its id.

    A key of a portrait or a clip stands for its person and camera too, and a number for the person
    of that number, as in `pallor render --identity 3`. Raises StageError for a
    name or word that no table holds.
    """
    return {name: _meant(index, name, value) for name, value in filters.items()}


def choices(index: Index) -> dict[str, list[str]]:
    """The words that each attribute of words has in this corpus, and the names of its units."""
    found = {name: known(index, name) for name in (*WORDS, "expression", "condition", "side")}
    units = index.column("SELECT DISTINCT unit FROM peak")
    numbered = sorted(units, key=lambda unit: (len(unit), unit))
    return {**found, "band": list(BANDS), "unit": numbered}


def known(index: Index, name: str) -> list[str]:
    """The words that an attribute has in this corpus, sorted."""
    if name in _FIXED:
        return list(_FIXED[name])
    asked = {
        "condition": "SELECT DISTINCT kind FROM condition ORDER BY 1",
        "side": "SELECT DISTINCT draw || ':' || side FROM placed ORDER BY 1",
    }
    column = f"SELECT DISTINCT {name} FROM seen WHERE {name} <> '' ORDER BY 1"
    return [str(word) for word in index.column(asked.get(name, column))]


def parse_range(text: str) -> tuple[float, float]:
    """The ends, both included, of "60:", ":30", "30:60" or "45"; StageError for anything else."""
    low, colon, high = text.partition(":")
    try:
        least = float(low) if low else -math.inf
        most = float(high) if high else math.inf if colon else least
    except ValueError:
        least, most = math.nan, math.nan
    if not text.strip(":") or not least <= most:  # also false for NaN
        raise StageError(f"'{text}' is no range; write 60: or :30 or 30:60 or 45")
    return least, most


def parse_unit(text: str) -> tuple[str, str, tuple[float, float]]:
    """Unit, side (L, R or either: '') and range of "12L=0.5:"; StageError for anything else."""
    found = _UNIT.fullmatch(text)
    if not found:
        raise StageError(f"'{text}' is no unit with a range; write 12=0.5: or 12L=0.5:")
    unit, side, span = found.groups()
    return unit, side, parse_range(span)


def _meant(index: Index, name: str, value: str) -> str:
    if name not in NAMES:
        clause({name: value})  # says so
    if name == "unit":
        return _known(index.column("SELECT DISTINCT unit FROM peak ORDER BY 1"), "unit",
                      parse_unit(value)[0], value)  # fmt: skip
    if name in RANGES:
        parse_range(value)
        return value
    if name == "band":
        return _known(list(BANDS), "band of age", value, value)
    if name not in IDS:
        return _known(known(index, name), name, value, value)
    if name == "identity" and value.isdecimal():
        return query.numbered(index, value)
    found = query.resolve(index, value)
    kind = query.kind_of(index, found)
    if kind in ("clip", "portrait") and kind != name:
        column = {"identity": "person"}.get(name, name)
        return str(query.row_of(index, kind, found).get(column) or found)
    return found


def _known(words: list[str], what: str, word: str, given: str) -> str:
    if word in words:
        return given
    if not words:
        raise StageError(f"'{word}' is no {what} of this corpus: it has none")
    raise StageError(f"'{word}' is no {what} of this corpus; {nearest(word, words)}")


def _word(name: str, value: str) -> Clause:
    return f"{name} = ${name}", {name: value}


def _range(name: str, value: str) -> Clause:
    low, high = parse_range(value)
    return f"{name} BETWEEN $low_{name} AND $high_{name}", {
        f"low_{name}": low, f"high_{name}": high,
    }  # fmt: skip


def _of(kind: str) -> Callable[[str, str], Clause]:
    inner = query.CLIPS_OF[kind].replace("$id", f"${kind}")
    return lambda name, value: (f"id IN ({inner})", {name: value})


def _band(name: str, value: str) -> Clause:
    return BANDS[_known(list(BANDS), "band of age", value, value)], {}


def _condition(name: str, value: str) -> Clause:
    return f"id IN (SELECT clip FROM condition WHERE kind = ${name})", {name: value}


def _severity(name: str, value: str) -> Clause:
    low, high = parse_range(value)
    return (
        "id IN (SELECT clip FROM condition "
        "WHERE severity BETWEEN $severity_low AND $severity_high)",
        {"severity_low": low, "severity_high": high},
    )


def _unit(name: str, value: str) -> Clause:
    unit, side, (low, high) = parse_unit(value)
    most = {"L": '"left"', "R": '"right"'}.get(side, 'greatest("left", "right")')
    return (
        f"id IN (SELECT clip FROM peak WHERE unit = $unit AND {most} BETWEEN $unit_low AND "
        "$unit_high)",
        {"unit": unit, "unit_low": low, "unit_high": high},
    )


def _side(name: str, value: str) -> Clause:
    draw, _, side = value.partition(":")
    return (
        "id IN (SELECT clip FROM placed WHERE draw = $draw AND side = $side)",
        {"draw": draw, "side": side},
    )


_CLAUSES: dict[str, Callable[[str, str], Clause]] = {
    "age": _range, "error": _range, "severity": _severity, "unit": _unit, "side": _side,
    "condition": _condition, "band": _band, "identity": _of("identity"), "camera": _of("camera"),
}  # fmt: skip
