"""A removal on disk, from before the first byte goes until the proof holds.

What a killed removal has erased can no longer be read, so whatever the same command needs to finish
is written first: the list of what goes, the counts, the looks. It lies below `.dvc/tmp`, holds
thumbnails of the person, and goes last.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import canonical, writing
from pipeline.lineage.erase import Going, Part
from pipeline.lineage.forget import Consequences, Erased
from pipeline.lineage.removal import Removal, Subject

FOLDER = Path(".dvc/tmp")
NAME = "pallor-forget-"  # and an id
STEPS = ("erase", "run", "commit", "prove")  # what is to be done next


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
    step: str = "erase"

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
            yield _parsed(json.loads(str(kept["intent"])), kept["known"])


def sweep(*written: Path) -> None:
    """Remove what a killed writer of these files left half; see pipeline.files.writing."""
    for path in written:
        for half in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
            half.unlink(missing_ok=True)


def _path(root: Path, intent: Intent) -> Path:
    return root / FOLDER / f"{NAME}{intent.removal.subject.ids[0]}.npz"


def _parsed(plain: dict[str, Any], known: np.ndarray) -> Intent:
    removal, effect = plain.pop("removal"), plain.pop("effect")
    subject: dict[str, Any] = {
        n: tuple(v) if n != "kind" else v for n, v in removal.pop("subject").items()
    }
    sets: dict[str, Any] = {n: v if n == "revisions" else set(v) for n, v in removal.items()}
    plain["studies"] = tuple(plain["studies"])
    effect |= {"ids": tuple(effect["ids"]), "erased": Erased(**effect["erased"])}
    parts = {n: [Part(**part) for part in rows] for n, rows in plain.pop("parts").items()}
    return Intent(
        Removal(Subject(**subject), **sets), Consequences(**effect), parts, known, **plain
    )
