"""The proof of a removal: is any byte, any look or any name of the subject left anywhere?"""

import mmap
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.lineage import history, looks
from pipeline.lineage.corpus import LOCK, PARAMS, TOMBSTONES, Place
from pipeline.lineage.intent import NAME
from pipeline.lineage.lock import file_md5, object_path
from pipeline.lineage.removal import Removal, derived_names, versions
from pipeline.report.templates import counted

# Not searched: git keeps versions of its own (see docs/lineage.md), the rest is none of ours.
_WHOLE = rb"(?<![\w-])%b(?![\w-])"  # ada is not named where ada-2 is
SKIPPED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


@dataclass(frozen=True)
class Trace:
    """Something left: `how` it was found (bytes, look or name), `where`, and what it says.

    `ours` is False outside the clone, where it is for its owner to remove.
    """

    how: str
    where: str
    detail: str
    ours: bool = True

    def text(self) -> str:
        """One line for people."""
        return f"{self.how}: {self.where}: {self.detail}"


@dataclass
class Searched:
    """What a search found and what it went through; `kinds` counts files by what they are."""

    roots: list[str]
    looks: int
    traces: list[Trace] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)

    def pictures(self, ours: bool) -> list[Trace]:
        """The bytes and looks that are left inside the clone, or outside it."""
        return [trace for trace in self.traces if trace.how != "name" and trace.ours == ours]

    def text(self) -> str:
        """What was searched, what is left, and what was not searched: one line each."""
        kinds, total = self.kinds, sum(self.kinds.values())
        how = f"by hash, by look (held against {counted(self.looks, 'frame')} of them) and by name"
        if not self.looks:
            how = (
                "by hash and by name; not by look, for no picture of them was left to compare with"
            )
        first = ", ".join(self.unread[:3])
        unread = f"{counted(len(self.unread), 'file')}: {first}" if self.unread else ""
        tools = f"{', '.join(SKIPPED)}, fetched assets"
        inside = "the inside of archives and documents, what is appended to a picture"
        no = [tools, inside, *self.unreached]
        return "\n".join([
            f"searched {counted(total, 'file')} in {', '.join(self.roots)} {how}: {self._left()}",
            f"decoded by content: {counted(kinds['picture'], 'picture')} and "
            f"{counted(kinds['film'], 'film')}, of every "
            "format that Pillow, OpenCV and ffmpeg read, as they are shown and as they are stored; "
            "compared whole, turned and mirrored, not cut; "
            f"no picture to them: {counted(kinds['nothing'], 'other file')}",
            *([f"could not be read or decoded to the end: {unread}"] if unread else []),
            f"not searched: {', '.join(no)}",
        ])  # fmt: skip

    def _left(self) -> str:
        if self.pictures(ours=True):
            return "something is left, see above"
        if self.pictures(ours=False):
            return "no picture is left in this clone; those above lie outside it, with their owners"
        return (
            "no picture is left, only the names above, in texts"
            if self.traces
            else "nothing is left"
        )


def known_looks(place: Place, removal: Removal, *photographs: Path) -> np.ndarray:
    """(R, 1024) thumbnails of every picture of the subject in any version that is still here.

    And of the `photographs` they were made from. To be taken before they are erased.
    """
    cached = [[object_path(store, md5) for store in place.stores] for md5 in removal.pictures]
    there = [next((path for path in paths if path.is_file()), None) for paths in cached]
    named = [place.root / path for path in removal.paths if Path(path).stem in removal.names]
    found = {path for path in (*there, *named, *photographs) if path and path.is_file()}
    seen = {file_md5(path): path for path in sorted(found)}
    return np.concatenate([looks.NONE, *map(looks.looks_of, seen.values())])


def search(place: Place, removal: Removal, known: np.ndarray) -> Searched:
    """Whatever is left in workspace, home, cache and folder remotes; nothing after a removal."""
    roots = [place.root, place.home, *place.stores]
    ends = sorted({path.resolve() for path in roots})
    outer = [str(at) for at in ends if not any(at.is_relative_to(o) for o in ends if o != at)]
    found = Searched(outer, len(known))
    found.unreached = [f"remote {name} ({url})" for name, url in place.unreached.items()]
    found.unreached += [f"worktree {path}" for path in history.worktrees(place.root)]
    looked: dict[str, tuple[str, float]] = {}
    gone, turned = removal.objects - made_without(place, removal), looks.turned(known)
    for path in files(roots, place.home / "assets"):
        try:
            md5 = file_md5(path)
            if md5 not in looked:
                looked[md5] = looks.nearest(path, turned)
            found.traces += _traces(path, md5, looked[md5][1], gone, removal, place)
            found.kinds[looked[md5][0]] += 1
            found.unread += [str(path)] if looked[md5][0] == "broken" else []
        except OSError as error:
            found.unread.append(f"{path} ({error.strerror})")
    return found


def files(roots: list[Path], but: Path) -> Iterator[Path]:
    """Every file below the roots, once, but not below `but`; links are followed."""
    seen = {_folder_id(but)} if but.is_dir() else set()
    for root in roots:
        for folder, below, names in os.walk(root, followlinks=True):
            known = _folder_id(Path(folder)) in seen
            seen.add(_folder_id(Path(folder)))
            below[:] = [] if known else sorted(name for name in below if name not in SKIPPED)
            for path in () if known else (Path(folder) / name for name in sorted(names)):
                if path.is_file():
                    yield path


def _folder_id(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_dev, stat.st_ino


def _traces(
    path: Path, md5: str, near: float, gone: set[str], removal: Removal, place: Place
) -> Iterator[Trace]:
    ours = place.owns(path)
    if md5 in gone:
        yield Trace("bytes", str(path), f"MD5 {md5}", ours)
        return
    if near < looks.ALIKE:
        detail = f"distance {near:.4f} to a picture of the subject"
        yield Trace("look", str(path), detail, ours)
    # Tombstone, exclusion and the lists of old versions hold ids, which say nothing of a person.
    known = (place.root / TOMBSTONES, place.root / PARAMS, place.root / LOCK)
    if path not in known and path.suffix != ".dir" and not path.name.startswith(NAME):
        named = sorted(_named(path, removal))
        if named:
            yield Trace("name", str(path), ", ".join(named), ours)


def _named(path: Path, removal: Removal) -> set[str]:
    photographs = [key for key in removal.subject.keys if key.startswith("photo/")]
    names = {*removal.names, *removal.subject.ids, *photographs}
    if not path.stat().st_size:
        return set()
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return {name for name in names if re.search(_WHOLE % re.escape(name.encode()), text)}


def made_without(place: Place, removal: Removal) -> set[str]:
    """Hashes of a version made anew: counts, say, that come out the same do not show anyone."""
    now = next(versions(place))
    if not now.rows or derived_names(now.rows, removal.subject):
        return set()
    return {md5 for _, _, md5 in now.files(place)}
