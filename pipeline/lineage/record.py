"""A corpus against the record in git: the same pixels, within rounding, or other ones?

For a stranger who made the corpus again and has no remote: the committed manifest
(`pipeline.faces.manifest`) is all they need. The files are read and decoded anew.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.errors import StageError
from pipeline.faces.manifest import STEP, read_signature, rows
from pipeline.lineage import history
from pipeline.lineage.checks import Finding
from pipeline.workspace import Workspace

# Levels that a block's mean may be off. Measured at 128 px: other instruction sets move a block by
# 0.004 at most, one sample a pixel more or less by 0.4 in a median frame, one frame's shift by 15.
TOLERANCE = 1 / 16
_SHIFTS = (1, -1, 2, -2)  # frames that an encoder or a reader may lose

Manifest = Mapping[str, dict[str, Any]]  # rows by file


@dataclass(frozen=True)
class Comparison:
    """How many films are `identical`, which are `within` the tolerance (file > levels), and which
    are `other` than the record's, each with what is wrong."""

    identical: int
    within: dict[str, float]
    other: tuple[Finding, ...]

    def text(self) -> str:
        """The sum on one line."""
        far = max(self.within.values(), default=0.0)
        return (
            f"{self.identical} films identical, {len(self.within)} within the tolerance of "
            f"{TOLERANCE:.3g} levels (largest {far:.3g}), {len(self.other)} not"
        )


def recorded(files: Workspace, revision: str) -> Manifest:
    """The manifest at a revision; StageError where it has none."""
    path = files.manifest.relative_to(files.root)
    text = history.show(files.root, revision, path)
    if not text:
        raise StageError(f"{revision} records no pixels: it has no {path}; name a later one")
    return _by_file(json.loads(line) for line in text.splitlines())


def found(files: Workspace) -> Manifest:
    """The manifest of the films that lie in a workspace now."""
    folders = (files.clips, files.transferred, files.faces)
    return _by_file(row for folder in folders for row in rows(folder))


def compare(record: Manifest, mine: Manifest) -> Comparison:
    """Films of `mine` against those of `record`, by what they show."""
    both = sorted(record.keys() & mine.keys())
    differ = [name for name in both if mine[name]["pixels"] != record[name]["pixels"]]
    away = {name: distance(record[name], mine[name]) for name in differ}
    within = {name: levels for name, levels in away.items() if levels <= TOLERANCE}
    other = [
        Finding("other pixels", name, _why(name, record, mine))
        for name in differ
        if name not in within
    ]
    other += [
        Finding("missing", name, "in the record, not here")
        for name in sorted(record.keys() - mine.keys())
    ]
    other += [
        Finding("unknown film", name, "here, not in the record")
        for name in sorted(mine.keys() - record.keys())
    ]
    return Comparison(len(both) - len(differ), within, tuple(other))


def distance(one: Mapping[str, Any], two: Mapping[str, Any]) -> float:
    """The largest difference of two rows' block means in levels; infinite for other shapes."""
    if one["shape"] != two["shape"]:
        return float("inf")
    apart = np.abs(read_signature(dict(one)) - read_signature(dict(two)))
    return float(apart.max()) / STEP


def _why(name: str, record: Manifest, mine: Manifest) -> str:
    row, stands = mine[name], record[name]
    twins = [other for other in record if other != name and _alike(record[other], row)]
    if twins:
        return f"it shows {twins[0]} of the record"
    if row["shape"] != stands["shape"]:
        return f"(frames, height, width) are {row['shape']}, the record has {stands['shape']}"
    ours, theirs = read_signature(row), read_signature(stands)
    for shift in _SHIFTS:
        late, early = (ours, theirs) if shift > 0 else (theirs, ours)
        apart = np.abs(late[abs(shift) :] - early[: -abs(shift)])
        if apart.size and apart.max() / STEP <= TOLERANCE:
            return f"its frames are {abs(shift)} {'late' if shift > 0 else 'early'}"
    apart = np.abs(ours - theirs).max(axis=(1, 2)) / STEP
    return (
        f"a block of frame {int(apart.argmax())} is {apart.max():.3g} levels off, "
        f"the median frame {np.median(apart):.3g}"
    )


def _alike(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return one["pixels"] == two["pixels"] or distance(one, two) <= TOLERANCE


def _by_file(found: Iterator[dict[str, Any]]) -> Manifest:
    return {row["file"]: row for row in found}
