"""`forget`: what a removal means before it happens, and the stone that stays after it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.files import read_jsonl, write_jsonl
from pipeline.lineage import history, query
from pipeline.lineage.corpus import PLANS, TOMBSTONES, Place
from pipeline.lineage.database import Index
from pipeline.lineage.erase import Going
from pipeline.lineage.history import worktrees
from pipeline.lineage.lock import objects
from pipeline.lineage.removal import Removal
from pipeline.report.templates import counted

# What git itself has of a version: text about people, and pictures of them.
IN_GIT = (*PLANS, "docs/contact-sheet.png", ":(glob)studies/*/contact-sheet.png", "portraits")


@dataclass(frozen=True)
class Erased:
    """What goes: files by place (workspace, work store, cache, remote:<name>), bytes in all."""

    files: dict[str, int]
    bytes: int

    def text(self) -> str:
        """One line for people."""
        counts = ", ".join(f"{count} from the {name}" for name, count in self.files.items())
        return f"{counts or 'nothing'}; {self.bytes / 1e6:.1f} MB"


@dataclass(frozen=True)
class Consequences:
    """A removal in numbers: rows and windows that go, models that hold something of them.

    `erased` is what `--apply` deletes, `stays` one line a place that others may use, `unlisted`
    the folders of earlier versions of which nothing here says what was in them.
    """

    ids: tuple[str, ...]
    clips: list[str]
    samples: list[dict[str, Any]]
    models: list[str]
    metrics: list[str]
    versions: int
    erased: Erased
    stays: list[str]
    unlisted: int
    in_git: dict[str, int]

    def text(self) -> str:
        """Lines for people."""
        rows = [
            f"  {row['study']}, {row['task']}, {row['draw']}, {row['side']}: "
            f"{row['windows']} windows, {row['copies']} copies"
            for row in self.samples
        ]
        git = ", ".join(f"{count} of {path}" for path, count in self.in_git.items()) or "none"
        unknown = (
            f"not known         {counted(self.unlisted, 'folder')} of earlier versions: no cache "
            "or folder remote here lists their files; `dvc fetch --all-commits` brings the lists"
        )
        return "\n".join([
            f"to be forgotten   {', '.join(self.ids)}",
            f"clips that go     {len(self.clips)}: {', '.join(self.clips) or 'none'}",
            "samples that go", *(rows or ["  none"]),
            f"tainted models    {', '.join(self.models) or 'none'}",
            f"tainted figures   {', '.join(self.metrics) or 'none'}",
            f"versions with it  {counted(self.versions, 'commit')}",
            f"files that go     {self.erased.text()}",
            *(f"stays             {line}" for line in self.stays),
            *([unknown] if self.unlisted else []),
            f"left to you       earlier versions in git: {git}; see docs/lineage.md",
        ])  # fmt: skip


def consequences(
    indices: Mapping[str, Index], place: Place, removal: Removal, parts: Going
) -> Consequences:
    """What a removal would do, counted over each study's index, the list of what goes, and git."""
    clips, samples = set[str](), list[dict[str, Any]]()
    models, metrics = list[str](), list[str]()
    for study, database in indices.items():
        rows: list[dict[str, Any]] = []
        for name in removal.subject.ids:
            kind = "portrait" if name.startswith("portrait") else "identity"
            clips |= set(query.derived_clips(database, kind, name))
            rows = query.derived_samples(database, kind, name) or rows
        samples += [{"study": study, **row} for row in rows]
        models += [f"{study} {name}" for name in query.models_of(database, rows)]
        metrics += [f"{study} {name}" for name in query.metrics_of(database, rows)]
    counts = {name: sum(part.files for part in rows) for name, rows in parts.items()}
    return Consequences(
        ids=removal.subject.ids,
        clips=sorted(clips),
        samples=samples,
        models=models,
        metrics=metrics,
        versions=len(removal.revisions),
        erased=Erased(counts, sum(part.bytes for rows in parts.values() for part in rows)),
        stays=list(_stays(place, removal, parts)),
        unlisted=len(removal.unlisted),
        in_git=_in_git(place.root) if removal.revisions else {},
    )


def _stays(place: Place, removal: Removal, parts: Going) -> Iterator[str]:
    """One line for each place that others may use, or that nobody here can reach."""
    for name, store in place.named.items():
        gone = {part.path for part in parts.get(name, [])}
        left = [md5 for md5, path in objects(store) if str(path) not in gone]
        foreign = sum(md5 not in removal.listed for md5 in left)
        if not place.owns(store):
            yield (
                f"{name}, {store}, is outside this clone: {foreign} objects that no version of "
                f"this repository lists stay; another project that lists one of the {len(gone)} "
                "files that go loses it"
            )
        elif foreign:
            yield (
                f"{name}: {foreign} objects of runs that were never committed do not show them; "
                "`dvc gc --workspace --all-commits` removes them"
            )
    if not place.owns(place.home):
        yield (
            f"{place.home} is outside this clone: what other workspaces made there stays, with "
            "the demo and Prefect's history"
        )
    for name, address in place.unreached.items():
        yield f"remote:{name}, {address}, is no folder; `dvc gc --workspace --cloud` clears it"
    yield from (f"another worktree, {path}, keeps its files" for path in worktrees(place.root))


def excluded(present: list[str], removal: Removal) -> list[str]:
    """The new value of plan.exclude."""
    return sorted({*present, *removal.subject.ids})


def bury(
    root: Path, effect: Consequences, command: str, when: str, revision: str | None
) -> dict[str, Any]:
    """Append the tombstone to data/tombstones.jsonl, once, and return it.

    It holds ids, which are digests, and counts; nothing of the person
    (docs/formats/tombstones.md). `when` is an ISO time, `revision` the commit that was the last to
    have the subject.
    """
    stone = {
        "ids": list(effect.ids),
        "when": when,
        "command": command,
        "last_version": revision,
        "clips": len(effect.clips),
        "samples": sum(row["windows"] + row["copies"] for row in effect.samples),
        "models": effect.models,
        "erased": asdict(effect.erased),
    }
    path = root / TOMBSTONES
    stones = read_jsonl(path) if path.is_file() else []
    if stone not in stones:  # else a killed removal is taken up
        write_jsonl(path, [*stones, stone])
    return stone


def _in_git(root: Path) -> dict[str, int]:
    if not history.is_repository(root):
        return {}
    counts = {path: len(history.touching(root, path)) for path in IN_GIT}
    return {path.removeprefix(":(glob)"): count for path, count in counts.items() if count}
