"""The proof of a removal: is any byte, any look or any name of the subject left anywhere?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.lineage import looks
from pipeline.lineage.corpus import LOCK, PARAMS, TOMBSTONES, Workspace
from pipeline.lineage.lock import file_md5
from pipeline.lineage.removal import Removal, derived_names, versions

# Not searched: git keeps versions of its own (see docs/lineage.md), the rest is none of ours.
_SKIPPED = {".git", ".venv", "__pycache__", "assets", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
_LARGE = 64 << 20  # bytes; names are not looked for in larger files


@dataclass(frozen=True)
class Trace:
    """Something left: `how` it was found (bytes, look or name), `where`, and what it says."""

    how: str
    where: str
    detail: str

    def text(self) -> str:
        """One line for people."""
        return f"{self.how}: {self.where}: {self.detail}"


def known_looks(place: Workspace, removal: Removal) -> np.ndarray:
    """(R, 1024) thumbnails of every picture of the subject; to be taken before it is erased."""
    found = [np.zeros((0, looks.SIDE**2), np.float32)]
    for path in _media(place, removal):
        frames = looks.read_frames(place.root / path)
        if frames is not None:
            found.append(looks.look(frames))
    return np.concatenate(found)


def search(place: Workspace, removal: Removal, known: np.ndarray) -> Iterator[Trace]:
    """Whatever is left in workspace, home, cache and folder remotes; nothing after a removal."""
    looked: dict[str, float] = {}
    gone = removal.objects - _made_without(place, removal)
    for path in files(place):
        md5 = file_md5(path)
        where = str(path)
        if md5 in gone:
            yield Trace("bytes", where, f"MD5 {md5}")
            continue
        if md5 not in looked:
            looked[md5] = looks.nearest(path, known)
        if looked[md5] < looks.ALIKE:
            yield Trace("look", where, f"distance {looked[md5]:.4f} to a picture of the subject")
        yield from _names(path, removal, place)


def files(place: Workspace) -> Iterator[Path]:
    """Every file that is searched, once."""
    roots = [place.root, place.home, place.cache, *place.remotes.values()]
    seen: set[Path] = set()
    for root in roots:
        for path in _walk(root):
            resolved = path.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield path


def _made_without(place: Workspace, removal: Removal) -> set[str]:
    """Hashes of a version made anew: counts, say, that come out the same do not show anyone."""
    now = next(versions(place))
    if not now.rows or derived_names(now.rows, removal.subject):
        return set()
    return {md5 for _, md5 in now.files(place)}


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _SKIPPED:
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def _media(place: Workspace, removal: Removal) -> list[Path]:
    named = [Path(path) for path in removal.paths]
    return sorted(path for path in named if path.stem in removal.names)


def _names(path: Path, removal: Removal, place: Workspace) -> Iterator[Trace]:
    # Tombstone, exclusion and the lists of old versions hold ids, which say nothing of a person.
    known = (place.root / TOMBSTONES, place.root / PARAMS, place.root / LOCK)
    if path.stat().st_size > _LARGE or path in known or path.suffix == ".dir":
        return
    photographs = [key for key in removal.subject.keys if key.startswith("photo/")]
    named = {*removal.names, *removal.subject.ids, *photographs}
    content = path.read_bytes()
    found = sorted(name for name in named if name.encode() in content)
    if found:
        yield Trace("name", str(path), ", ".join(found))
