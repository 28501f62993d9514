"""The register of photographs: who is on each face, under which licence, with which consent."""

import csv
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AssetError

COLUMNS = ("id", "file", "licence", "consent", "age", "sex", "ethnicity", "origin")


@dataclass(frozen=True)
class Photograph:
    """One row of register.csv; facts left empty there are None."""

    id: str
    file: str
    licence: str
    consent: str
    age: float | None
    sex: str | None
    ethnicity: str | None
    origin: str


def read_register(path: Path) -> list[Photograph]:
    """The photographs of a register, in the order of their ids (`docs/formats/register.md`).

    Raises AssetError when the file is missing, a column is missing, an id comes twice, or a face
    has no recorded licence or consent.
    """
    if not path.is_file():
        raise AssetError(
            f"{path} is missing; a portrait folder needs a register.csv with the columns "
            f"{', '.join(COLUMNS)}"
        )
    with path.open(newline="") as stream:
        reader = csv.DictReader(stream)
        if missing := set(COLUMNS) - set(reader.fieldnames or ()):
            raise AssetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        photographs = [_photograph(row, path) for row in reader]
    ids = [photo.id for photo in photographs]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise AssetError(f"{path} lists the ids {', '.join(sorted(twice))} more than once")
    return sorted(photographs, key=lambda photo: photo.id)


def _photograph(row: dict[str, str], path: Path) -> Photograph:
    for field in ("id", "file", "licence", "consent"):
        if not (row[field] or "").strip():
            name = row["id"] or row["file"] or "a row"
            raise AssetError(
                f"{path}: {name} has no recorded {field}; a face without one is never used, "
                "fill it in or remove the row"
            )
    if not (path.parent / row["file"]).resolve().is_relative_to(path.parent.resolve()):
        raise AssetError(f"{path}: {row['id']} points outside the folder ({row['file']})")
    try:
        age = float(row["age"]) if row["age"] else None
    except ValueError as error:
        raise AssetError(f"{path}: {row['id']} has age '{row['age']}', not a number") from error
    return Photograph(
        row["id"], row["file"], row["licence"], row["consent"], age,
        row["sex"] or None, row["ethnicity"] or None, row["origin"],
    )  # fmt: skip
