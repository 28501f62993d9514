"""The plan's table, read back: what the stages after `plan` know of it.

Apart from `pipeline.corpus.plan`, which draws people and scenes: a stage that only reads the
table does not run again when avatars change.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.files import read_jsonl
from pipeline.records import ClipPlan, PortraitPlan, Record, TransferPlan


@dataclass(frozen=True)
class Plan:
    """The rows of a plan by kind."""

    clips: list[ClipPlan]
    portraits: list[PortraitPlan]
    transfers: list[TransferPlan]


def read_plan(path: Path) -> Plan:
    """The plan of a table; StageError for a row of unknown kind or form."""
    kinds: dict[str, tuple[type[Record], list[Any]]] = {
        "clip": (ClipPlan, []), "portrait": (PortraitPlan, []), "transfer": (TransferPlan, []),
    }  # fmt: skip
    for row in read_jsonl(path):
        if row.get("kind") not in kinds:
            raise StageError(f"{path} has a row of unknown kind {row.get('kind')!r}")
        kind, rows = kinds[row["kind"]]
        rows.append(kind.parse(row))
    return Plan(*(rows for _, rows in kinds.values()))
