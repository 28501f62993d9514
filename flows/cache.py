"""DVC's cache against its own names: bit rot that DVC itself does not see.

DVC trusts a cached file that is still read-only and never hashes it again: a rotten one is even
handed back after its stage has run anew (seen with DVC 3.67). Here each is hashed, and one whose
name does not fit is removed with what was made from it, so that its stage runs and restores it.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

CACHE = Path(".dvc/cache/files/md5")
LOCK = Path("dvc.lock")
MOST = 4e9  # bytes hashed on every run, some ten seconds; `pallor verify` hashes any number


def repair_cache() -> list[str]:
    """Remove rotten files of the cache and the outputs that hold them; the outputs' paths.

    A cache of more than MOST bytes is left to `pallor verify`.
    """
    objects = [path for path in CACHE.glob("??/*") if path.is_file()]
    if sum(path.stat().st_size for path in objects) > MOST:
        return []
    rotten = {_name(path): path for path in objects if not _fits(path)}
    if not rotten:
        return []
    spoiled = sorted(path for path, names in _outputs() if names & rotten.keys())
    for path in rotten.values():
        path.unlink()
    for output in map(Path, spoiled):
        shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
    held = ", ".join(spoiled) or "no output of now"
    print(f"cache: {len(rotten)} files had rotted and are made anew ({held})", flush=True)
    return spoiled


def _outputs() -> Iterator[tuple[str, set[str]]]:
    """Every output of dvc.lock with the names of all cached files behind it."""
    stages = (yaml.safe_load(LOCK.read_text()) or {}).get("stages", {}) if LOCK.is_file() else {}
    for out in (out for stage in stages.values() for out in stage.get("outs", [])):
        yield out["path"], {out["md5"], *_members(out["md5"])}


def _members(name: str) -> Iterator[str]:
    listing = CACHE / name[:2] / name[2:]
    if name.endswith(".dir") and listing.is_file() and _fits(listing):
        yield from (row["md5"] for row in json.loads(listing.read_text()))


def _name(path: Path) -> str:
    return path.parent.name + path.name


def _fits(path: Path) -> bool:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    return found.hexdigest() == _name(path).removesuffix(".dir")
