"""The dataset card and the datasheet, generated so that every count in them is the corpus's own.

Card: README.md with the YAML head of the Hugging Face hub. Datasheet: Gebru et al., Datasheets for
Datasets, Communications of the ACM 2021, 64(12):86-92, its seven sections.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from avatars.expression import Expression, load
from pipeline.exports import words
from pipeline.exports.source import Source
from pipeline.exports.words import Words
from pipeline.files import writing
from pipeline.report.protocols import drawn, overlap
from pipeline.report.templates import fill
from pipeline.splits.groups import age_band
from pipeline.study import Study

CARD, SHEET = "README.md", "DATASHEET.md"
CARD_TEMPLATE = Path(__file__).with_name("card.md.j2")
SHEET_TEMPLATE = Path(__file__).with_name("datasheet.md.j2")
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(
    source: Source, rows: Sequence[Mapping[str, Any]], folder: Path,
    configurations: Sequence[Mapping[str, Any]] | None = None,
) -> None:  # fmt: skip
    """Write README.md; `configurations` are a Hugging Face folder's own, if it is one."""
    head: dict[str, Any] = {
        "pretty_name": Words(source.study).title,
        "license": "cc0-1.0" if {row["licence"] for row in rows} == {"CC0-1.0"} else "other",
        "license_name": "per-clip",
        "task_categories": ["video-classification"],
        "language": ["en"],
        "size_categories": [_size(len(rows))],
        "tags": ["synthetic", "video", "facs", "not-a-medical-device"],
    }
    if head["license"] != "other":
        del head["license_name"]
    if configurations:
        head["configs"] = list(configurations)
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)
    _write(folder / CARD, fill(CARD_TEMPLATE, facts(source, rows) | {"head": text}))


def write_datasheet(source: Source, rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write DATASHEET.md from the clip rows (`clip_rows`) and the workspace's tables."""
    _write(folder / SHEET, fill(SHEET_TEMPLATE, facts(source, rows)))


def facts(source: Source, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the templates say of a corpus: its counts, people, licences, splits and figures."""
    study, plan = source.study, source.plan
    people = {row["person_id"]: row for row in rows}.values()
    return {
        "study": study,
        "words": Words(study),
        "say": words,
        "release": source.release,
        "clips": len(rows),
        "planned": len(plan.clips) + len(plan.transfers),
        "kinds": Counter(row["kind"] for row in rows),
        "labels": _table(rows, "label", ("avatar", "transfer"), "kind"),
        "draw": source.draw,
        "sides": _table(rows, "label", ("train", "test"), "side"),
        "performed": _performed(study),
        "rejected": Counter(row["reason"] for row in source.quarantine),
        "people": len(people),
        "drivers": len({row["identity_id"] for row in rows}),
        "sexes": _shares(people, "sex"),
        "ethnicities": _shares(people, "ethnicity"),
        "ages": dict(sorted(Counter(age_band(person["age"]) for person in people).items())),
        "licences": Counter((row["licence"], row["origin"], row["consent"]) for row in rows),
        "formats": sorted({(row["frames"], row["fps"], row["size"]) for row in rows}),
        "windows": {draw: Counter(s.side for s in part) for draw, part in source.splits.items()},
        "overlap": {
            draw: overlap(study.protocols[name], source.proof[draw]) for name, draw in study.draws()
        },
        "drawn": {name: drawn(rules) for name, rules in study.protocols.items()},
        "results": source.results,
        "detector": source.detector,
    }


def _performed(study: Study) -> list[tuple[str, Expression, str]]:
    """Label, expression and conditions of each kind of clip."""
    return [
        (arm.label, load(name), ", ".join(given.kind for given in arm.conditions) or "none")
        for arm in study.arms
        for name in arm.expressions
    ]


def _table(
    rows: Sequence[Mapping[str, Any]], row_of: str, columns: Sequence[str], column_of: str
) -> dict[str, list[int]]:
    counts = Counter((row[row_of], row[column_of]) for row in rows)
    names = sorted({row[row_of] for row in rows})
    return {name: [counts[name, column] for column in columns] for name in names}


def _shares(people: Any, name: str) -> dict[str, int]:
    return dict(sorted(Counter(person[name] or "unknown" for person in people).items()))


def _size(count: int) -> str:
    return next((name for most, name in SIZES if count < most), "n>1M")


def _write(path: Path, text: str) -> None:
    with writing(path) as part:
        part.write_text(text)
