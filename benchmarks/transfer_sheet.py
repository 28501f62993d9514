"""The contact sheet: portrait, driving, each model's transfer and the truth, at the apex."""

from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
import skimage.data
from transfer_people import Judged

import fomm
from pipeline.faces.framing import frame_face

PEOPLE = 12
DISPLAYS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
HEAD = 14  # px of a line of text
GAP = 4


def draw_sheet(path: Path, people: Judged, models: dict[str, fomm.MotionModel]) -> None:
    """Rows of five displays, each driving | a picture a model | truth, after the portrait.

    None of the people was trained on; the photograph in the last row has no truth.
    """
    films, size = people.films.frames, people.films.size
    count = min(PEOPLE, len(films))
    rows = [
        _row(films[person], films[person - 1], people.motions, models) for person in range(count)
    ]
    portrait = frame_face(skimage.data.astronaut(), size)
    rows.append(_row(None, films[0], people.motions, models, portrait))
    columns = ("driving", *models, "truth")
    head = _label(size, len(columns), *(f"{d}: {', '.join(columns)}" for d in DISPLAYS))
    iio.imwrite(path, np.concatenate([head, *rows]))
    print(f"{path}: {len(rows)} portraits x {len(DISPLAYS)} displays")


def _row(
    truths: np.ndarray | None, drivers: np.ndarray, motions: tuple[str, ...],
    models: dict[str, fomm.MotionModel], portrait: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """One portrait: a person with `truths` (M, T, S, S, 3), whose first frames it is, or given."""
    cells = []
    for motion in (motions.index(display) for display in DISPLAYS):
        driving, truth = drivers[motion], None if truths is None else truths[motion]
        source = portrait if truth is None else truth[0]
        apex = _apex(driving)
        made = [model.animate(source, driving)[apex] for model in models.values()]
        last = np.full_like(driving[apex], 255) if truth is None else truth[apex]
        cells += [] if cells else [source]
        cells.append(np.concatenate([driving[apex], *made, last], axis=1))
    return _joined(cells)


def _apex(frames: np.ndarray) -> int:
    """The frame that differs most from the first."""
    return int(np.abs(frames.astype(np.int16) - frames[0]).mean(axis=(1, 2, 3)).argmax())


def _joined(cells: list[np.ndarray]) -> np.ndarray:
    gap = np.full((cells[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([part for cell in cells for part in (cell, gap)], axis=1)
    return np.concatenate([row, np.full((GAP, row.shape[1], 3), 255, np.uint8)])


def _label(size: int, columns: int, *rest: str) -> np.ndarray:
    wide = columns * size + GAP
    line = np.full((HEAD, size + GAP + len(rest) * wide, 3), 255, np.uint8)
    for i, text in enumerate(("portrait", *rest)):
        x = 0 if i == 0 else size + GAP + (i - 1) * wide
        cv2.putText(line, text, (x, HEAD - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1,
                    cv2.LINE_AA)  # fmt: skip
    return line
