"""DVC's cache against its own names: bit rot that DVC itself does not see.

DVC trusts a cached file that is still read-only and never hashes it again: a rotten one is even
handed back after its stage has run anew (seen with DVC 3.67). Here each is hashed, and one whose
name does not fit is removed with what was made from it, so that its stage runs and restores it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from flows.stores import place
from pipeline.lineage.corpus import LOCK, Place
from pipeline.lineage.lock import Stage, file_md5, listing, outs, read_lock
from pipeline.report.templates import counted

MOST = 4e9  # bytes hashed on every run, some ten seconds; `pallor verify` hashes any number


def repair_cache() -> list[str]:
    """Remove rotten files of the cache and the outputs that hold them; the outputs' paths.

    Of a cache that others use too only what `dvc.lock` lists is looked at. More than MOST bytes are
    left to `pallor verify`.
    """
    here = place()
    lock = read_lock(LOCK) if LOCK.is_file() else {}
    objects = dict(here.objects("cache", lock))
    if sum(path.stat().st_size for path in objects.values()) > MOST:
        return []
    rotten = {md5: path for md5, path in objects.items() if not _fits(md5, path)}
    if not rotten:
        return []
    spoiled = sorted(path for path, names in _outputs(here, lock) if names & rotten.keys())
    for path in rotten.values():
        path.unlink()
    for output in map(Path, spoiled):
        shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
    held = ", ".join(spoiled) or "no output of now"
    print(f"cache: {counted(len(rotten), 'file')} had rotted, to be made anew ({held})", flush=True)
    return spoiled


def _outputs(here: Place, lock: dict[str, Stage]) -> Iterator[tuple[str, set[str]]]:
    """Every output of dvc.lock with the names of all cached files behind it."""
    for path, md5 in outs(lock).items():
        yield path, {md5, *(listing(md5, [here.cache]) or {}).values()}


def _fits(md5: str, path: Path) -> bool:
    return file_md5(path) == md5.removesuffix(".dir")
