"""One export: a new folder in one of the FORMATS, written whole or not at all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.exports import (
    cards,
    coco,
    crate,
    croissant,
    frames,
    huggingface,
    openlineage,
    prov,
)
from pipeline.exports.certificate import Certificate
from pipeline.exports.credentials import write_credentials
from pipeline.exports.dataset import write_dataset
from pipeline.exports.shards import write_shards
from pipeline.exports.source import Source
from pipeline.exports.steps import Step, read_steps
from pipeline.exports.tables import clip_rows
from pipeline.files import writing_folder


@dataclass(frozen=True)
class Export:
    """What is exported: the workspace, its run records, when (with a zone), and with whose hands.

    `certificate` is asked for only when clips are signed; `client` is the OpenLineage client to
    send events through, None to write them to a file alone.
    """

    source: Source
    runs: Path
    now: datetime
    certificate: Callable[[], Certificate]
    client: Any | None = None

    @cached_property
    def steps(self) -> list[Step]:
        """The stages behind the corpus; StageError without a dvc.lock."""
        return read_steps(self.source.workspace, self.runs)


def write_export(name: str, export: Export, out: Path) -> None:
    """Write the folder `out`, in format `name` of FORMATS.

    Raises StageError when `out` holds something already, and what the formats raise.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise StageError(f"{out} exists already; name a new folder or remove it first")
    with writing_folder(out) as part:
        WRITERS[name](export, part)
    if export.client and name in ("openlineage", "all"):
        openlineage.send_events(openlineage.events(export.steps, export.now), export.client)


def _dataset(export: Export, folder: Path, formats: Iterable[str] = ("croissant",)) -> None:
    source = export.source
    rows = write_dataset(source, folder)
    cards.write_card(source, rows, folder)
    cards.write_datasheet(source, rows, folder)
    if "croissant" in formats:
        croissant.describe(folder, rows, source)
    if "ro-crate" in formats:
        crate.describe_crate(folder, rows, source, export.steps)


def _ro_crate(export: Export, folder: Path) -> None:
    _dataset(export, folder, ["ro-crate"])


def _datasheet(export: Export, folder: Path) -> None:
    rows = clip_rows(export.source)
    cards.write_card(export.source, rows, folder)
    cards.write_datasheet(export.source, rows, folder)


def _prov(export: Export, folder: Path) -> None:
    prov.write_prov(export.steps, folder)


def _openlineage(export: Export, folder: Path) -> None:
    openlineage.write_events(openlineage.events(export.steps, export.now), folder)


def _c2pa(export: Export, folder: Path) -> None:
    write_credentials(export.source, folder, export.certificate())


def _webdataset(export: Export, folder: Path) -> None:
    write_shards(export.source, folder)
    _datasheet(export, folder)


def _huggingface(export: Export, folder: Path) -> None:
    rows = clip_rows(export.source)
    huggingface.write_huggingface(export.source, folder)
    cards.write_card(export.source, rows, folder, huggingface.configurations(rows, export.source))
    cards.write_datasheet(export.source, rows, folder)


def _parquet(export: Export, folder: Path) -> None:
    frames.write_parquet(export.source, folder)
    _datasheet(export, folder)


def _coco(export: Export, folder: Path) -> None:
    coco.write_coco(export.source, folder)
    _datasheet(export, folder)


def _all(export: Export, folder: Path) -> None:
    parts: dict[str, list[Callable[[Export, Path], None]]] = {
        "dataset": [lambda e, f: _dataset(e, f, ["croissant", "ro-crate"])],
        "lineage": [_prov, _openlineage],
        "c2pa": [_c2pa],
        "webdataset": [_webdataset],
        "huggingface": [_huggingface],
        "parquet": [_parquet],
        "coco": [_coco],
    }
    for name, writers in parts.items():
        (folder / name).mkdir()
        for write in writers:
            write(export, folder / name)


WRITERS: dict[str, Callable[[Export, Path], None]] = {
    "croissant": _dataset, "datasheet": _datasheet, "ro-crate": _ro_crate, "prov": _prov,
    "openlineage": _openlineage, "c2pa": _c2pa, "webdataset": _webdataset,
    "huggingface": _huggingface, "parquet": _parquet, "coco": _coco, "all": _all,
}  # fmt: skip
