"""A user's own labelled films against a model of ours, with the figures that a test side gets.

No validation: who was filmed, how and by whom labelled is not known here. The figures stand beside
how far the films look from what the model was trained on (`pipeline.evaluation.afar`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import AssetError, ClipError
from pipeline.evaluation.afar import afar
from pipeline.evaluation.conformal import Doubt
from pipeline.evaluation.groups import errors_by, light
from pipeline.evaluation.kinds import Kinds, clip_features, joined
from pipeline.evaluation.labels import NONE, Labelled, read_labels
from pipeline.evaluation.metrics import bootstrap_accuracy, scores
from pipeline.evaluation.predict import Look, Watcher
from pipeline.evaluation.tone import tone
from pipeline.files import child_seed
from pipeline.media.footage import LONGEST, stream_footage
from pipeline.media.video import Frames

Row = dict[str, Any]
SHOWN = 3  # reasons named where nothing could be judged


@dataclass(frozen=True)
class Judged:
    """A labelled span: its `first` crop (S, S, 3) uint8 RGB, `shares` (windows, classes), and its
    `kinds` of features, a row each (`pipeline.evaluation.kinds`)."""

    asked: Labelled
    first: np.ndarray
    shares: np.ndarray
    kinds: Kinds

    @property
    def mean(self) -> np.ndarray:
        """(classes,) mean probabilities over its windows."""
        return np.asarray(self.shares.mean(axis=0))


def scored(
    where: tuple[Path, Path],
    watcher: Watcher,
    doubt: Doubt | None,
    corpus: tuple[Kinds, Kinds] | None,
    chance: tuple[int, int],
) -> Row:
    """Everything of docs/formats/labels.md about the films of a folder with a table of labels.

    `where` is (folder, table), `corpus` as `corpus_features` gives it. Raises AssetError when the
    table cannot be read, or nothing in it be judged; what is `left_out` is said in a sentence each.
    """
    folder, table = where
    rows, notes = read_labels(table, folder, watcher.model.labels)
    found: list[Judged] = []
    for row, seen in judged(rows, folder, watcher):
        if isinstance(seen, Judged):
            found.append(seen)
        else:
            notes.append(seen if row.file in seen else f"{row.name}: {seen}")
    if not found:
        raise AssetError(f"none of {table}'s clips could be judged: {'; '.join(notes[:SHOWN])}")
    mine = joined([one.kinds for one in found])
    return {
        **figures(found, watcher.model.labels, doubt, chance),
        "distance": afar(*corpus, mine) if corpus else None,
        "left_out": notes,
    }


def judged(
    rows: Sequence[Labelled], folder: Path, watcher: Watcher
) -> Iterator[tuple[Labelled, Judged | str]]:
    """Every row with what was seen, or the sentence why nothing was; each film is read once."""
    by_file: dict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row)
    for file, mine in by_file.items():
        for row, found in _spans(mine, folder / file, watcher.fps):
            if isinstance(found, str):
                yield row, found
                continue
            try:
                yield row, _judged(row, watcher.look(found, row.name), watcher)
            except ClipError as error:
                yield row, str(error)


def figures(
    found: Sequence[Judged],
    labels: tuple[str, ...],
    doubt: Doubt | None,
    chance: tuple[int, int],
) -> Row:
    """`by_window`, `by_clip` (as evaluation.json), `groups`, `doubt`, `none` of judged films.

    `groups` has accuracy, interval over subjects, n and people by label, subject, light and skin
    tone. `chance` is (resamples, seed). What shows no class counts in `none` alone.
    """
    known = [one for one in found if one.asked.label != NONE]
    row: Row = {"n": len(found), "subjects": len({one.asked.subject for one in found})}
    if known:
        row |= _known(known, labels, chance)
    if doubt:
        row["doubt"] = _doubt(known, labels, doubt, chance) if known else None
        row["none"] = _none([one for one in found if one.asked.label == NONE], doubt, chance)
    return row


def _judged(row: Labelled, seen: Look, watcher: Watcher) -> Judged:
    kinds = clip_features(seen.crops, seen.windows, watcher.model)
    return Judged(row, seen.crops[0], seen.shares, kinds)


def _known(known: Sequence[Judged], labels: tuple[str, ...], chance: tuple[int, int]) -> Row:
    resamples, seed = chance
    truth, table, people = _units(known, labels)
    counts = [len(one.shares) for one in known]
    windows = np.concatenate([one.shares for one in known])
    by_window = scores(
        np.repeat(truth, counts), windows, np.repeat(people, counts).tolist(), labels,
        (resamples, child_seed(seed, "window")),
    )  # fmt: skip
    right = truth == table.argmax(1)
    values = {
        "label": [one.asked.label for one in known],
        "subject": people,
        "light": [light(one.first) for one in known],
        "skin tone": [tone(one.first) for one in known],
    }
    return {
        "by_window": by_window,
        "by_clip": scores(truth, table, people, labels, (resamples, child_seed(seed, "clip"))),
        "groups": {
            name: errors_by(column, right, people, (resamples, child_seed(seed, name)))
            for name, column in values.items()
        },
    }


def _units(
    known: Sequence[Judged], labels: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    truth = np.array([labels.index(one.asked.label) for one in known])
    return truth, np.stack([one.mean for one in known]), [one.asked.subject for one in known]


def _doubt(
    known: Sequence[Judged], labels: tuple[str, ...], doubt: Doubt, chance: tuple[int, int]
) -> Row:
    """Do the sets keep on these films what they promise on faces like the corpus'?"""
    truth, table, people = _units(known, labels)
    held, unknown = doubt.sets(table)[np.arange(len(truth)), truth], doubt.unknown(table)
    return {
        "promise": 1 - doubt.alpha,
        "coverage": round(float(held.mean()), 6),
        "coverage_ci95": bootstrap_accuracy(held, people, *chance),
        "unknown": round(float(unknown.mean()), 6),
        "unknown_ci95": bootstrap_accuracy(unknown, people, *chance),
    }


def _none(others: Sequence[Judged], doubt: Doubt, chance: tuple[int, int]) -> Row | None:
    if not others:
        return None
    unknown = doubt.unknown(np.stack([one.mean for one in others]))
    people = [one.asked.subject for one in others]
    return {
        "n": len(others),
        "unknown": round(float(unknown.mean()), 6),
        "unknown_ci95": bootstrap_accuracy(unknown, people, *chance),
    }


def _spans(
    rows: Sequence[Labelled], film: Path, fps: int
) -> Iterator[tuple[Labelled, Frames | str]]:
    """The frames of each row, or a sentence; frames of no open row are not held."""
    left, held = {row.line: row for row in rows}, defaultdict[int, list[np.ndarray]](list)
    count = 0
    try:
        for frame in stream_footage(film, fps):
            for row in list(left.values()):
                if count < round(row.start * fps):
                    continue
                if row.end is not None and count >= round(row.end * fps):
                    del left[row.line]
                    yield row, np.stack(held.pop(row.line))
                    continue
                held[row.line].append(frame)
                if len(held[row.line]) > LONGEST * fps:
                    del held[row.line], left[row.line]
                    yield row, f"{row.name} lasts longer than {LONGEST} s; give a shorter span"
            count += 1
    except ClipError as error:
        for row in left.values():
            yield row, str(error)
        return
    for row in left.values():
        yield row, _at_the_end(row, held[row.line], count, fps)


def _at_the_end(row: Labelled, frames: list[np.ndarray], count: int, fps: int) -> Frames | str:
    """A row that was still open when the film ended: to its end, or past it."""
    if frames and (row.end is None or count >= round(row.end * fps)):
        return np.stack(frames)
    return f"{row.name} reaches past the end of the film, which lasts {count / fps:.1f} s"
