"""Films of any length and folders of films, asked about stretch by stretch, in flat memory.

A stretch is judged as a clip by itself: its face is found, framed by its first frame and cropped as
the corpus' clips are, so that an answer an hour into a film is made as one at its start. What lies
between two stretches is never averaged over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import ClipError, ParamsError
from pipeline.evaluation.conformal import Doubt
from pipeline.evaluation.predict import Prediction, Watcher
from pipeline.files import is_stray
from pipeline.media.camera import live
from pipeline.media.films import open_film
from pipeline.media.footage import LONGEST, read_footage, stream_footage
from pipeline.media.video import Frames

TABLES = {".csv", ".json", ".jsonl", ".txt", ".md", ".yaml"}  # lie beside films and are none


@dataclass(frozen=True)
class Step:
    """A stretch of a film: from `start` to before `end` seconds, what was seen there, or why not.

    `reason` is one sentence where there is no `seen`, else empty.
    """

    file: str
    start: float
    end: float
    seen: Prediction | None
    reason: str = ""

    def row(self, labels: tuple[str, ...], doubt: Doubt | None) -> dict[str, Any]:
        """Plain values (docs/formats/steps.md); `unknown` and `set` are None without a doubt."""
        shares = [self.seen.probabilities[n] for n in labels] if self.seen else []
        table = np.array([shares])
        known = doubt is not None and self.seen is not None
        return {
            "file": self.file,
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "label": self.seen.label if self.seen else None,
            "unknown": bool(doubt.unknown(table)[0]) if known and doubt else None,
            "set": [n for n, held in zip(labels, doubt.sets(table)[0], strict=True) if held]
            if known and doubt else None,
            "probabilities": {n: round(p, 6) for n, p in zip(labels, shares, strict=False)},
            "reason": self.reason,
        }  # fmt: skip


def films_of(folder: Path) -> list[Path]:
    """The files of a folder that may be films, by name; tables and what editors leave are none.

    Raises ParamsError when nothing is left.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    films = [
        path for path in found
        if path.suffix.lower() not in TABLES and not is_stray(path.relative_to(folder))
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]  # fmt: skip
    if not films:
        raise ParamsError(f"{folder} holds no file that may be a film; name a folder with films")
    return films


def asked_film(film: Path, watcher: Watcher, step: float | None, name: str) -> Iterator[Step]:
    """One answer about a film, or one a stretch of `step` seconds; a broken film's is its reason.

    Films beyond LONGEST are always cut into stretches, by default as long as the corpus' clips.
    """
    try:
        if step is None and open_film(film).seconds <= LONGEST:
            frames = read_footage(film, watcher.fps)
            yield _step(watcher, frames, (name, 0.0), name)
            return
        stretches = pieces(stream_footage(film, watcher.fps), *_length(watcher, step))
        for first, frames in stretches:
            yield _step(watcher, frames, (name, first / watcher.fps), name)
    except ClipError as error:
        yield Step(name, 0.0, 0.0, None, str(error))


def asked_camera(
    source: str, watcher: Watcher, step: float | None, clock: Any, seconds: float | None = None
) -> Iterator[Step]:
    """One answer a stretch of what a camera shows, until `seconds` are over or it is stopped."""
    count, _ = _length(watcher, step)
    for since, frames in live(source, watcher.fps, count, clock):
        yield _step(watcher, frames, (source, since), f"camera {source}")
        if seconds is not None and since + count / watcher.fps >= seconds:
            return


def pieces(frames: Iterator[np.ndarray], length: int, least: int) -> Iterator[tuple[int, Frames]]:
    """(number of its first frame, (T, H, W, 3) frames) of stretches of `length` frames, in turn.

    The last may be shorter, down to `least`; a shorter one is left out unless it is the only one.
    """
    held: list[np.ndarray] = []
    first = 0
    for frame in frames:
        held.append(frame)
        if len(held) == length:
            yield first, np.stack(held)
            first, held = first + length, []
    if held and (len(held) >= least or not first):
        yield first, np.stack(held)


def _length(watcher: Watcher, step: float | None) -> tuple[int, int]:
    """Frames of a stretch, and the fewest that the model can be asked about."""
    least = watcher.model.window
    seconds = watcher.params.plan.frames / watcher.fps if step is None else step
    if not least <= seconds * watcher.fps <= LONGEST * watcher.fps:  # nor is it no number
        raise ParamsError(
            f"--step is {seconds:g} s; the model needs {least / watcher.fps:g} to {LONGEST} s"
        )
    return round(seconds * watcher.fps), least


def _step(watcher: Watcher, frames: Frames, where: tuple[str, float], name: str) -> Step:
    file, start = where
    end = start + len(frames) / watcher.fps
    try:
        return Step(file, start, end, watcher.judge(frames, name))
    except ClipError as error:
        return Step(file, start, end, None, str(error))
