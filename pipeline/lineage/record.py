"""A corpus against the record in git: the same pixels, within rounding, or other ones?

For a stranger who made the corpus again and has no remote: the committed manifest
(`pipeline.faces.manifest`) is all they need. The files are read and decoded anew.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pipeline.errors import StageError
from pipeline.faces.manifest import STEP, read_signature, rows
from pipeline.lineage import history
from pipeline.lineage.checks import Finding
from pipeline.report.templates import counted
from pipeline.workspace import Workspace

# Levels that a block's mean may be off by rounding: another AMD moves clips by 0.004 at most, and
# transfers by 0.008.
TOLERANCE = 1 / 16
# Ray tracing starts from the processor's approximate reciprocals, which each maker tabulates in its
# own way. AMD against Intel, 176 films of 128 px: 0.36 at most in the median frame, 0.57 in any.
# One sample a pixel more moves the median frame of each of five clips by 0.93 at least. Crops are
# cut at whole pixels, so a box may fall one pixel further: 3.2 in the median frame, 3.8 in any.
_RENDERED = (1 / 2, 3 / 2)  # of the worst block in the median frame, and of any block
_CUT = (4.0, 6.0)
_SHIFTS = (1, -1, 2, -2)  # frames that an encoder or a reader may lose

Manifest = Mapping[str, dict[str, Any]]  # rows by file


@dataclass(frozen=True)
class Comparison:
    """How many films are `identical`, which are `within` rounding, which are as another
    `processor` renders them (file > levels), and which are `other`, each with what is wrong."""

    identical: int
    within: dict[str, float]
    processor: dict[str, float]
    other: tuple[Finding, ...]

    def text(self) -> str:
        """The sum on one line."""
        far, further = (max(part.values(), default=0.0) for part in (self.within, self.processor))
        return (
            f"{counted(self.identical, 'film')} identical, {len(self.within)} within the tolerance "
            f"of {TOLERANCE:.3g} levels (largest {far:.3g}), {len(self.processor)} as a processor "
            f"of another kind renders them (largest {further:.3g}), {len(self.other)} not"
        )


def studies_of(root: Path, revision: str) -> list[str]:
    """The studies of which a revision has a manifest, sorted; StageError for an unknown one."""
    history.commit(root, revision)
    any_study = Workspace("*", Path()).manifest
    listed = map(PurePosixPath, history.listed(root, revision, any_study.parts[0]))
    return sorted(path.parent.name for path in listed if path.match(str(any_study)))


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
    processor = {
        name: levels for name, levels in away.items()
        if name not in within and alike(record[name], mine[name])
    }  # fmt: skip
    other = [
        Finding("other pixels", name, _why(name, record, mine))
        for name in differ
        if name not in within and name not in processor
    ]
    other += [
        Finding("missing", name, "in the record, not here")
        for name in sorted(record.keys() - mine.keys())
    ]
    other += [
        Finding("unknown film", name, "here, not in the record")
        for name in sorted(mine.keys() - record.keys())
    ]
    return Comparison(len(both) - len(differ), within, processor, tuple(other))


def distance(one: Mapping[str, Any], two: Mapping[str, Any]) -> float:
    """The largest difference of two rows' block means in levels; infinite for other shapes."""
    if one["shape"] != two["shape"]:
        return float("inf")
    apart = np.abs(read_signature(dict(one)) - read_signature(dict(two)))
    return float(apart.max()) / STEP


def alike(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Whether two rows show the same but for rounding and the kind of processor."""
    return one["pixels"] == two["pixels"] or (
        one["shape"] == two["shape"]
        and _near(read_signature(dict(one)), read_signature(dict(two)), _limits(one))
    )


def _limits(row: Mapping[str, Any]) -> tuple[float, float]:
    return _CUT if row["file"].startswith("faces/") else _RENDERED


def _near(one: np.ndarray, two: np.ndarray, limits: tuple[float, float]) -> bool:
    worst = np.abs(one - two).max(axis=(1, 2)) / STEP
    return bool(np.median(worst) <= limits[0] and worst.max() <= limits[1])


def _why(name: str, record: Manifest, mine: Manifest) -> str:
    row, stands = mine[name], record[name]
    twins = [other for other in record if other != name and alike(record[other], row)]
    if twins:
        return f"it shows {twins[0]} of the record"
    if row["shape"] != stands["shape"]:
        return f"(frames, height, width) are {row['shape']}, the record has {stands['shape']}"
    ours, theirs = read_signature(row), read_signature(stands)
    for shift in _SHIFTS:
        late, early = (ours, theirs) if shift > 0 else (theirs, ours)
        if len(late) <= abs(shift):
            continue
        if _near(late[abs(shift) :], early[: -abs(shift)], _limits(row)):
            return f"its frames are {abs(shift)} {'late' if shift > 0 else 'early'}"
    apart = np.abs(ours - theirs).max(axis=(1, 2)) / STEP
    return (
        f"a block of frame {int(apart.argmax())} is {apart.max():.3g} levels off, "
        f"the median frame {np.median(apart):.3g}"
    )


def _by_file(found: Iterator[dict[str, Any]]) -> Manifest:
    return {row["file"]: row for row in found}
