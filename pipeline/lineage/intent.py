"""A removal on disk, from before the first byte goes until the proof holds.

What a killed removal has erased can no longer be read, so whatever the same command needs to finish
is written first: the list of what goes, the counts, the looks. It lies below `.dvc/tmp`, holds
thumbnails of the person, and goes last.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from pipeline.files import canonical, writing
from pipeline.lineage.erase import Going
from pipeline.lineage.forget import Consequences
from pipeline.lineage.removal import Removal

FOLDER = Path(".dvc/tmp")
NAME = "pallor-forget-"  # and an id


@dataclass(frozen=True)
class Intent:
    """All that a removal needs from one step to the next; `known` (R, 1024) are the looks.

    `studies` are those to be made anew.
    """

    removal: Removal
    effect: Consequences
    parts: Going
    known: np.ndarray
    command: str
    when: str
    revision: str
    studies: tuple[str, ...]
    step: str = "erase"  # the next: erase, run, commit, prove
    __pydantic_config__: ClassVar = ConfigDict(arbitrary_types_allowed=True)

    def named(self, name: str) -> bool:
        """Is an id or key the subject's?"""
        return name in (*self.removal.subject.ids, *self.removal.subject.keys)


def write(root: Path, intent: Intent) -> None:
    """Keep an intent, whole or not at all."""
    plain = asdict(replace(intent, known=np.zeros(0)))
    del plain["known"]
    text = canonical(json.loads(json.dumps(plain, default=sorted)))
    with writing(_path(root, intent)) as part, part.open("wb") as stream:
        np.savez(stream, intent=np.array(text), known=intent.known)


def advance(root: Path, intent: Intent, step: str) -> Intent:
    """The intent with its next step, kept."""
    further = replace(intent, step=step)
    write(root, further)
    return further


def drop(root: Path, intent: Intent) -> None:
    """The removal is done."""
    _path(root, intent).unlink()


def pending(root: Path) -> Iterator[Intent]:
    """The removals of this workspace that were begun and not finished."""
    for path in sorted((root / FOLDER).glob(f"{NAME}*.npz")):
        with np.load(path) as kept:
            plain = json.loads(str(kept["intent"]))
            yield _INTENT.validate_python({**plain, "known": kept["known"]})


def sweep(*written: Path) -> None:
    """Remove what a killed writer of these files left half; see pipeline.files.writing."""
    for path in written:
        for half in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
            half.unlink(missing_ok=True)


_INTENT = TypeAdapter(Intent)


def _path(root: Path, intent: Intent) -> Path:
    return root / FOLDER / f"{NAME}{intent.removal.subject.ids[0]}.npz"
