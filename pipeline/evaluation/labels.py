"""A user's own labels: which class a film or span shows, and whom (docs/formats/labels.md)."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pipeline.corpus.register import inside
from pipeline.corpus.table import Row, read_table
from pipeline.errors import AssetError, ClipError
from pipeline.evaluation.steps import films_of
from pipeline.naming import nearest

COLUMNS = ("file", "label")
OPTIONAL = ("start", "end", "subject")
NONE = "none"  # the label of a face that shows no class of the model
_SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Labelled:
    """One row: the film relative to its folder, its class, its span in s (None: to its end).

    `subject` is who is seen; the file's own name where the table does not say.
    """

    line: int
    file: str
    label: str
    start: float
    end: float | None
    subject: str

    @property
    def name(self) -> str:
        """How people find the row."""
        span = "" if self.end is None and not self.start else f" from {self.start:g} s"
        return self.file + span + ("" if self.end is None else f" to {self.end:g} s")


def read_labels(
    table: Path, folder: Path, classes: Sequence[str]
) -> tuple[list[Labelled], list[str]]:
    """The rows that can be judged, and a sentence for each row or film that cannot.

    Raises AssetError when the table cannot be read for certain or no row is left.
    """
    rows, notes, asked = [], [], set()
    for row in read_table(table, COLUMNS, OPTIONAL):
        asked.add(row.cells["file"])
        try:
            rows.append(_labelled(row, folder, classes))
        except ClipError as error:
            notes.append(f"{table.name} line {row.line}: {error}; this row is left out")
    kept, doubled = _one_subject(rows, table)
    films = [film.relative_to(folder).as_posix() for film in films_of(folder)]
    notes += [
        f"{name}: it has no label in {table.name}; it is left out"
        for name in films
        if name not in asked
    ]
    if not kept:
        first = f" ({(notes + doubled)[0]})" if notes + doubled else ""
        raise AssetError(f"{table} has no row that can be judged{first}")
    return kept, notes + doubled


def _labelled(row: Row, folder: Path, classes: Sequence[str]) -> Labelled:
    cells = row.cells
    file, label = cells["file"], cells["label"]
    if not file or not inside(folder, file):
        raise ClipError(f"'{file[:80]}' is no path below {folder}")
    if not (folder / file).is_file():
        raise ClipError(f"there is no {file} in {folder}")
    if label != NONE and label not in classes:
        raise ClipError(f"'{label}' is no class of the model; {nearest(label, [*classes, NONE])}")
    start = _seconds(cells.get("start", ""), "start") or 0.0
    end = _seconds(cells.get("end", ""), "end")
    if end is not None and end <= start:
        raise ClipError(f"the span of {file} ends at {end:g} s, not after its start, {start:g} s")
    return Labelled(row.line, file, label, start, end, cells.get("subject") or file)


def _seconds(text: str, column: str) -> float | None:
    if not text:
        return None
    if not _SECONDS.fullmatch(text):
        raise ClipError(f"{column} is '{text[:20]}'; write seconds such as 4 or 4.5")
    return float(text)


def _one_subject(rows: Sequence[Labelled], table: Path) -> tuple[list[Labelled], list[str]]:
    """Rows whose span shows one person alone, and a sentence for each pair that does not."""
    by_file: dict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row)
    out, notes = set(), []
    for mine in by_file.values():
        for one, two in combinations(mine, 2):
            if not _overlap(one, two):
                continue
            if one.subject != two.subject:
                out |= {one.line, two.line}
                what = f"two subjects at one time ({one.subject}, {two.subject}); a clip shows one"
            else:
                out.add(two.line)
                what = "two labels at one time; the first counts"
            notes.append(f"{table.name} lines {one.line} and {two.line}: {one.file} has {what}")
    return [row for row in rows if row.line not in out], notes


def _overlap(one: Labelled, two: Labelled) -> bool:
    ends = [float("inf") if row.end is None else row.end for row in (one, two)]
    return max(one.start, two.start) < min(ends)
