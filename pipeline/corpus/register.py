"""The register of photographs: who is on each face, under which licence, with which consent."""

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.corpus.consent import about, check_consent, check_licence
from pipeline.corpus.table import Row, read_table
from pipeline.errors import AssetError
from pipeline.files import file_digest

AVATAR_RIGHTS = {  # of every rendered face
    "licence": "CC0-1.0",
    "consent": "not a person: rendered geometry",
    "origin": "rendered by Pallor from MakeHuman assets",
}
COLUMNS = ("id", "file", "licence", "consent", "age", "sex", "ethnicity", "origin")
OPTIONAL = ("person",)
SEXES = ("female", "male", "intersex", "other")
OLDEST = 130  # years; nobody is known to have been older
SHIPPED = "skimage:"  # a file that scikit-image's wheel carries
# Cyrillic and Greek letters that are drawn as Latin ones (Unicode Technical Standard 39).
_DRAWN_AS = str.maketrans(
    "аесорхуѕіјһԁԛԝАВЕЅІЈКМНОРСТУХԚԜαινορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aecopxysijhdqwABESIJKMHOPCTYXQWaivopuABEZHIKMNOPTYX",
)
_NAME = re.compile(r"\w[\w .-]{0,99}")  # stands in keys, logs and commands, so it is no path
_NUMBER = re.compile(r"[+-]?([0-9][0-9.,_]*(e[+-]?[0-9]+)?|[.,][0-9]+|nan|inf(inity)?)", re.I)
_YEARS = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")


@dataclass(frozen=True)
class Photograph:
    """One row of register.csv; facts left empty there are None.

    `person` names who is seen: pictures of one person share it; the row's own id where none is.
    """

    id: str
    file: str
    licence: str
    consent: str
    age: float | None
    sex: str | None
    ethnicity: str | None
    origin: str
    person: str


def read_register(path: Path, today: date | None = None) -> list[Photograph]:
    """The photographs of a register, in the order of their ids (`docs/formats/register.md`).

    `today` is the day on which consents must be in force; None asks for their wording alone. It
    decides whether rows are refused, never what they hold. Raises AssetError, one sentence, when
    the file is missing or no such table, an id comes twice, a licence or consent is none of the
    documented ones, a fact is out of range, or one file stands there as two people.
    """
    photographs = [_photograph(row, path, today) for row in register_rows(path)]
    _check_names(photographs, path)
    for photo in photographs:
        if not photo.file.startswith(SHIPPED) and not os.path.isfile(path.parent / photo.file):
            raise AssetError(
                f"{path}: {photo.id} names the file {photo.file[:110]}, which is not in the folder"
            )
    _check_people(photographs, path)
    return sorted(photographs, key=lambda photo: photo.id)


def register_rows(path: Path) -> list[Row]:
    """The rows as they stand there, judged by no rule but the table's own (`read_table`)."""
    if not path.is_file():
        raise AssetError(
            f"{path} is missing; a portrait folder needs a register.csv with the columns "
            f"{', '.join(COLUMNS)}"
        )
    return read_table(path, COLUMNS, OPTIONAL)


def _photograph(row: Row, path: Path, today: date | None) -> Photograph:
    cells = row.cells
    name = cells["id"] or cells["file"] or f"line {row.line}"
    for field in ("id", "file", "licence", "consent"):
        if not cells[field]:
            raise AssetError(
                f"{path}: {name} has no recorded {field}; a face without one is never used, "
                "fill it in or remove the row"
            )
    person = cells.get("person") or cells["id"]
    with about(f"{path}: {name}"):
        for field, text in (("id", cells["id"]), ("person", person)):
            _check_name(field, text)
        if not inside(path.parent, cells["file"]):
            raise AssetError(f"points outside the folder ({cells['file'][:110]})")
        check_licence(cells["licence"])
        check_consent(cells["consent"], today)
        return Photograph(
            cells["id"], cells["file"], cells["licence"], cells["consent"], _age(cells["age"]),
            _sex(cells["sex"]), _ethnicity(cells["ethnicity"]), cells["origin"], person,
        )  # fmt: skip


def _check_name(field: str, text: str) -> None:
    if not _NAME.fullmatch(text):
        raise AssetError(
            f"has {field} {text[:110]!r}, no plain name; write at most 100 letters, digits, "
            "spaces and . - _, a letter or digit first"
        )


def inside(folder: Path, file: str) -> bool:
    """Does a register's `file` lead to a place below its own folder, links followed?"""
    try:
        return (folder / file).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a name that is too long, a link that leads to itself
        return False


def _age(text: str) -> float | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise AssetError(f"has age '{text}', not a number")
    if not _YEARS.fullmatch(text) or float(text) > OLDEST:
        raise AssetError(f"has age '{text}'; write years from 0 to {OLDEST}, such as 44 or 44.5")
    return float(text)


def _sex(text: str) -> str | None:
    if text and text.casefold() not in SEXES:
        raise AssetError(f"has sex '{text}'; write {', '.join(SEXES)}, or nothing")
    return text.casefold() or None


def _ethnicity(text: str) -> str | None:
    if not text:
        return None
    if len(text) > 60 or any(c.isdigit() for c in text) or not any(c.isalpha() for c in text):
        raise AssetError(f"has ethnicity {text[:70]!r}; write a word or two, or nothing")
    return text


def _check_names(photographs: Sequence[Photograph], path: Path) -> None:
    ids = [photo.id for photo in photographs]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise AssetError(f"{path} lists the ids {', '.join(sorted(twice))} more than once")
    spelled: dict[str, str] = {}
    for name in sorted({*ids, *(photo.person for photo in photographs)}):
        other = spelled.setdefault(_drawn(name), name)
        if other != name:
            raise AssetError(f"{path}: the names {other} and {name} look the same; choose one")


def _drawn(name: str) -> str:
    """Names that a person cannot tell apart come out the same."""
    plain = unicodedata.normalize("NFKC", name).translate(_DRAWN_AS).casefold()
    return plain.replace("\u0307", "")  # the dot that Turkish puts on a capital I


def _check_people(photographs: Sequence[Photograph], path: Path) -> None:
    # What stands for one person must be of one person, and one picture is of one.
    by_id = {photo.id: photo for photo in photographs}
    known: dict[str, Photograph] = {}
    seen: dict[str, Photograph] = {}
    for photo in photographs:
        named = by_id.get(photo.person, photo)
        if named.person != photo.person:
            raise AssetError(
                f"{path}: {photo.id} has person {photo.person}, but the picture of that id has "
                f"person {named.person}; write one name for one person"
            )
        other = known.setdefault(photo.person, photo)
        for fact in ("sex", "ethnicity"):
            if getattr(other, fact) != getattr(photo, fact):
                raise AssetError(
                    f"{path}: {other.id} and {photo.id} are one person with two entries under "
                    f"{fact}; make them agree"
                )
        content = photo.file
        if not photo.file.startswith(SHIPPED):
            content = file_digest(path.parent / photo.file)
        twin = seen.setdefault(content, photo)
        if twin.person != photo.person:
            raise AssetError(
                f"{path}: {twin.id} and {photo.id} are one and the same picture; remove a row, or "
                "give both one name in the column person"
            )
