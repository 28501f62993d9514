"""A table that people keep in a spreadsheet: read as the spreadsheet shows it, or refused.

RFC 4180 with what spreadsheets export: comma, semicolon or tab, UTF-8 or UTF-16, any line ending.
A cell that slipped into its neighbour's column would be a fact about the wrong thing, so a row
must fit the header cell for cell.
"""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AssetError
from pipeline.naming import nearest

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MARKS = (  # the longer mark first: that of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_UNSEEN = {"Cc", "Zl", "Zp"}  # control characters and line breaks: no cell of ours holds them


@dataclass(frozen=True)
class Row:
    """One row: the number of its line in the file and its cells by column, stripped of spaces."""

    line: int
    cells: dict[str, str]


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """The rows below the header, blank ones left out; every row has every column named there.

    Raises AssetError, one sentence, when the file cannot be read for certain: its encoding, its
    quoting, a missing, unknown or repeated column, or a row that does not fit the header.
    """
    text = decode(path)
    records = _filled(_records(path, text, _separator(text, columns)))
    _, header = next(records, (0, []))
    names = _names(path, header, columns, optional)
    return [_row(path, line, cells, names) for line, cells in records]


def decode(path: Path) -> str:
    """The text of a file in UTF-8 or UTF-16; AssetError names the encoding when it is another."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AssetError(f"{path} cannot be read: {error.strerror}") from error
    if data.startswith(b"PK\x03\x04"):
        raise AssetError(f"{path} is a spreadsheet or zip file; save it as CSV UTF-8")
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", _unmarked(data)))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise AssetError(_wrong_bytes(path, data, encoding, error)) from error
    if "\0" in text:
        raise AssetError(f"{path} holds NUL bytes, so it is no text; save it as CSV UTF-8")
    return text.lstrip("\ufeff")


def _unmarked(data: bytes) -> str:
    # UTF-16 without its mark is certain when the first line comes out as ASCII, as headers do.
    if b"\0" in data[:4]:
        for encoding in ("utf-16-le", "utf-16-be"):
            first = data.decode(encoding, errors="replace").splitlines()[:1]
            if first and first[0].isascii() and "\0" not in first[0]:
                return encoding
    return "utf-8"


def _wrong_bytes(path: Path, data: bytes, encoding: str, error: UnicodeDecodeError) -> str:
    if encoding != "utf-8":
        return f"{path} begins as {encoding.upper()} but is cut short or broken; save it anew"
    line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
    return (
        f"{path} is not UTF-8 (byte 0x{byte:02X} in line {line}) but an older encoding, most "
        "likely Windows-1252 or Latin-1; save it as CSV UTF-8, so that no name is misread"
    )


def _separator(text: str, columns: Sequence[str]) -> str:
    def named(separator: str) -> int:
        try:
            _, header = next(_filled(_raw(text, separator)), (0, []))
        except csv.Error:
            return -1
        return len({_plain(name) for name in header} & set(columns))

    first = text[:7].strip().strip('"')
    if first[:4].casefold() == "sep=" and first[4:5] in SEPARATORS:  # a hint to one spreadsheet
        return first[4]
    return max(SEPARATORS, key=named)


def _raw(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    for cells in reader:
        if reader.line_num == 1 and separator.join(cells).casefold() == f"sep={separator}":
            continue
        yield reader.line_num, [cell.strip() for cell in cells]


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    line = 0
    try:
        for line, cells in _raw(text, separator):
            for cell in cells:
                if any(unicodedata.category(character) in _UNSEEN for character in cell):
                    raise AssetError(
                        f"{path} line {line}: {_short(cell)} holds a line break or control "
                        "character; a cell is one line of text (is a quote left open?)"
                    )
            yield line, cells
    except csv.Error as error:
        raise AssetError(
            f"{path} line {line + 1} cannot be read ({error}); a cell with quotes in it "
            'stands in quotes, "like ""this"""'
        ) from error


def _filled(records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    return ((line, cells) for line, cells in records if any(cells))


def _plain(name: str) -> str:
    return name.strip().casefold()


def _names(
    path: Path, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> list[str]:
    names = [_plain(name) for name in header]
    while names and not names[-1]:
        names.pop()
    if missing := set(columns) - set(names):
        raise AssetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    known = [*columns, *optional]
    for name in filter(None, names):
        if name not in known:
            raise AssetError(
                f"{path} has the unknown column {_short(name)}; {nearest(name, known)}"
            )
        if names.count(name) > 1:
            raise AssetError(f"{path} has the column {name} more than once; keep one")
    return names


def _row(path: Path, line: int, cells: Sequence[str], names: Sequence[str]) -> Row:
    extra = [cell for i, cell in enumerate(cells) if cell and not "".join(names[i : i + 1])]
    if extra:
        raise AssetError(
            f"{path} line {line}: {_short(extra[0])} stands in a column without a name "
            f"({len(cells)} cells for {len(names)} columns); put a cell that holds the separator "
            "in quotes"
        )
    if len(cells) < len(names):
        raise AssetError(
            f"{path} line {line} has {len(cells)} cells for {len(names)} columns; leave none "
            "out, also where it is empty"
        )
    return Row(line, {name: cell for name, cell in zip(names, cells, strict=False) if name})


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")
