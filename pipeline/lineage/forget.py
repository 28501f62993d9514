"""`forget`: what a removal means before it happens, and the stone that stays after it."""

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.files import read_jsonl, write_jsonl
from pipeline.lineage import history, query
from pipeline.lineage.corpus import TOMBSTONES, Workspace
from pipeline.lineage.erase import Erased, stores
from pipeline.lineage.lock import object_path
from pipeline.lineage.removal import Removal

# What git itself has of a version: text about people, and pictures of them.
IN_GIT = ("data/plan.jsonl", "docs/contact-sheet.png", "portraits")


@dataclass(frozen=True)
class Consequences:
    """A removal in numbers: rows and windows that go, models that hold something of them."""

    ids: tuple[str, ...]
    clips: list[str]
    samples: list[dict[str, Any]]
    models: list[str]
    metrics: list[str]
    versions: int
    files: int
    objects: dict[str, int]
    in_git: dict[str, int]

    def text(self) -> str:
        """Lines for people."""
        rows = [
            f"  {row['protocol']}, {row['side']}: {row['windows']} windows, {row['copies']} copies"
            for row in self.samples
        ]
        held = ", ".join(f"{count} in {name}" for name, count in self.objects.items())
        git = ", ".join(f"{count} of {path}" for path, count in self.in_git.items()) or "none"
        return "\n".join([
            f"to be forgotten   {', '.join(self.ids)}",
            f"clips that go     {len(self.clips)}: {', '.join(self.clips) or 'none'}",
            "samples that go", *(rows or ["  none"]),
            f"tainted models    {', '.join(self.models) or 'none'}",
            f"tainted figures   {', '.join(self.metrics) or 'none'}",
            f"versions with it  {self.versions} commits",
            f"bytes             {self.files} files in the workspace; objects: {held}",
            f"left to you       earlier versions in git: {git}; see docs/lineage.md",
        ])  # fmt: skip


def consequences(database: sqlite3.Connection, place: Workspace, removal: Removal) -> Consequences:
    """What a removal would do, counted over the index, the stores and git."""
    clips, samples = set[str](), list[dict[str, Any]]()
    for name in removal.subject.ids:
        kind = "portrait" if name.startswith("portrait") else "identity"
        clips |= set(query.derived_clips(database, kind, name))
        samples = query.derived_samples(database, kind, name) or samples
    return Consequences(
        ids=removal.subject.ids,
        clips=sorted(clips),
        samples=samples,
        models=[f"model:{row['protocol']}" for row in samples if row["side"] == "train"],
        metrics=[f"metric:{row['protocol']}" for row in samples if row["side"] == "test"],
        versions=len(removal.revisions),
        files=sum((place.root / path).is_file() for path in removal.paths),
        objects={
            name: sum(object_path(store, md5).is_file() for md5 in removal.objects)
            for name, store in stores(place).items()
        },
        in_git=_in_git(place.root) if removal.revisions else {},
    )


def excluded(present: list[str], removal: Removal) -> list[str]:
    """The new value of plan.exclude."""
    return sorted({*present, *removal.subject.ids})


def bury(
    root: Path, effect: Consequences, erased: Erased, command: str, when: str, revision: str | None
) -> dict[str, Any]:
    """Append the tombstone to data/tombstones.jsonl and return it (docs/formats/tombstones.md).

    It holds ids, which are digests, and counts; nothing of the person. `when` is an ISO time,
    `revision` the commit that was the last to have the subject.
    """
    stone = {
        "ids": list(effect.ids),
        "when": when,
        "command": command,
        "last_version": revision,
        "clips": len(effect.clips),
        "samples": sum(row["windows"] + row["copies"] for row in effect.samples),
        "models": effect.models,
        "erased": asdict(erased),
    }
    path = root / TOMBSTONES
    write_jsonl(path, [*(read_jsonl(path) if path.is_file() else []), stone])
    return stone


def _in_git(root: Path) -> dict[str, int]:
    if not history.is_repository(root):
        return {}
    counts = {path: len(history.touching(root, path)) for path in IN_GIT}
    return {path: count for path, count in counts.items() if count}
