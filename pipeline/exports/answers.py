"""Answers as a table for other programs: CSV with a column a class, or a JSON array; row by row."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file
from pipeline.files import writing

KINDS = (".csv", ".json")
Row = Mapping[str, Any]


def answers_file(name: str, inputs: Sequence[Path] = ()) -> Path:
    """The path to write; ParamsError when it is neither .csv nor .json, or may not be written."""
    if Path(name).suffix not in KINDS:
        raise ParamsError(f"{name} must end in .csv or .json")
    return output_file(name, None, inputs)


@contextmanager
def writing_answers(path: Path | None, labels: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """What takes one row after the other (docs/formats/steps.md); no row is held in memory.

    The file takes its name when the block ends well. None: rows go nowhere.
    """
    if path is None:
        yield lambda row: None
        return
    with writing(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            yield _table(stream, labels)
            return
        stream.write("[")
        yield _array(stream)
        stream.write("\n]\n")


def _table(stream: IO[str], labels: Sequence[str]) -> Callable[[Row], None]:
    writer = csv.writer(stream, lineterminator="\n")
    plain = ("file", "start", "end", "label", "unknown")
    writer.writerow([*plain, "set", *(f"p_{name}" for name in labels), "reason"])

    def write(row: Row) -> None:
        shares = [row["probabilities"].get(name, "") for name in labels]
        held = "" if row["set"] is None else " ".join(row["set"])
        cells = ["" if row[name] is None else row[name] for name in plain]
        writer.writerow([*cells, held, *shares, row["reason"]])

    return write


def _array(stream: IO[str]) -> Callable[[Row], None]:
    first = True

    def write(row: Row) -> None:
        nonlocal first
        stream.write("\n" if first else ",\n")
        stream.write(json.dumps(row, ensure_ascii=False))
        first = False

    return write
