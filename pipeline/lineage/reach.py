"""What any version of the dataset still names: nothing of that may be thrown away.

Asked are `dvc.lock` and every `*.dvc` file, of the workspace and of each commit that git knows:
branches, tags, stashes, experiments, other worktrees, and what only a reflog remembers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pipeline.errors import StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import LOCK, Place
from pipeline.lineage.lock import listing, parse_lock
from pipeline.stage import STAGES, name_of
from pipeline.stage import place as path_of
from pipeline.workspace import Workspace

TRACKED = "*.dvc"
LOCKS = (":(glob)**/dvc.lock", f":(glob)**/{TRACKED}")

# Folders of whose outputs DVC keeps hashes alone; git has the bytes.
IN_GIT = {
    path_of(out.name, Workspace()).parts[0]
    for stage in STAGES.values()
    for out in stage.outputs
    if not out.cached
} - {"data"}


@dataclass
class Reach:
    """`objects` are the MD5s that some version names, those of files in folders included.

    `unlisted` are the stages of folders whose list of files no store has: what is in them cannot
    be told. A file that `dvc add` follows has the stage "".
    """

    objects: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    versions: int = 0


def reach(place: Place) -> Reach:
    """What the workspace and every commit name; StageError where git cannot vouch for all."""
    history.vouch(place.root)
    found, seen = Reach(), set[tuple[str | None, str]]()
    texts = [*_of_workspace(place.root), *_of_commits(place.root, found)]
    for where, text in dict.fromkeys(texts):  # most versions share most files
        for stage, md5 in named(text, where):
            if (stage, md5) not in seen:
                seen.add((stage, md5))
                _add(found, stage, md5, place)
    return found


def named(text: str, where: str) -> Iterator[tuple[str | None, str]]:
    """(stage, MD5) of each output in a lock or a `.dvc` file, and (None, MD5) of what a cache need
    not hold: inputs, and outputs that git follows.

    Raises StageError for a file that cannot be read: it may name anything.
    """
    if where.endswith(LOCK.name):
        for name, stage in parse_lock(text, where).items():
            yield from ((None, md5) for md5 in stage.deps.values())
            for path, md5 in stage.outs.items():
                yield None if path.split("/")[0] in IN_GIT else name_of(name), md5
        return
    try:
        rows = yaml.safe_load(text)["outs"]
        yield from (("", str(row["md5"])) for row in rows if "md5" in row)
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise StageError(f"{where} is no file of DVC's; take it back from git") from error


def _add(found: Reach, stage: str | None, md5: str, place: Place) -> None:
    found.objects.add(md5)
    if not md5.endswith(".dir"):
        return
    inside = listing(md5, place.stores)
    if inside is not None:
        found.objects |= set(inside.values())
    elif stage is not None:
        found.unlisted.add(stage)


def _of_workspace(root: Path) -> Iterator[tuple[str, str]]:
    tracked = history.git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                          "--", *LOCKS).split("\0")  # fmt: skip
    for name in {*filter(None, tracked), LOCK.name}:
        path = root / name
        if path.is_file():
            yield name, path.read_text(encoding="utf-8")


def _of_commits(root: Path, found: Reach) -> Iterator[tuple[str, str]]:
    revisions = history.touching(root, *LOCKS, lost=True)
    found.versions = len(revisions)
    for revision in revisions:
        rows = history.git(root, "ls-tree", "-r", "-z", "--name-only", revision).split("\0")
        for name in rows:
            if name.endswith((LOCK.name, TRACKED.removeprefix("*"))):
                yield name, history.show(root, revision, name) or ""
