"""The contact sheet: portrait, driving, transfer and rendered truth at the apex of each display."""

from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
import skimage.data

import fomm
from pipeline.faces.framing import frame_face
from pipeline.motion.training import HELD_OUT

PORTRAITS = 9  # people; a photograph, which has no truth, is the tenth
DISPLAYS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
HEAD = 14  # px of a line of text
GAP = 4


def draw_sheet(path: Path, grid, model: fomm.MotionModel) -> None:
    """Ten rows of five displays, each driving | transfer | truth, after the portrait.

    The last people of the grid are held out, the others of the rows were trained on: so each
    portrait says.
    """
    size = grid.frames.shape[3]
    rows = [_row(grid, model, person) for person in _people(grid)]
    rows.append(_photograph_row(grid, model, size))
    head = _label("portrait", size, *(f"{d}: driving, transfer, truth" for d in DISPLAYS))
    sheet = np.concatenate([head, *rows])
    iio.imwrite(path, sheet)
    print(f"{path}: {len(rows)} portraits x {len(DISPLAYS)} displays")


def _people(grid) -> list[int]:
    count = len(grid.frames)
    return list(range(count - 1, max(-1, count - 1 - PORTRAITS), -1))


def _row(grid, model: fomm.MotionModel, person: int) -> np.ndarray:
    driver = person - 1 if person else len(grid.frames) - 1
    known = person < len(grid.frames) - HELD_OUT
    cells = [_named(grid.frames[person, 0, 0], "trained on" if known else "held out")]
    for display in DISPLAYS:
        motion = grid.motions.index(display)
        driving, truth = grid.frames[driver, motion], grid.frames[person, motion]
        moved = model.animate(truth[0], driving)
        apex = _apex(driving)
        cells.append(np.concatenate([driving[apex], moved[apex], truth[apex]], axis=1))
    return _joined(cells)


def _photograph_row(grid, model: fomm.MotionModel, size: int) -> np.ndarray:
    portrait = frame_face(skimage.data.astronaut(), size)
    cells = [_named(portrait, "photograph")]
    for display in DISPLAYS:
        driving = grid.frames[-1, grid.motions.index(display)]
        apex = _apex(driving)
        moved = model.animate(portrait, driving)[apex]
        cells.append(np.concatenate([driving[apex], moved, np.full_like(moved, 255)], axis=1))
    return _joined(cells)


def _apex(frames: np.ndarray) -> int:
    """The frame that differs most from the first."""
    return int(np.abs(frames.astype(np.int16) - frames[0]).mean(axis=(1, 2, 3)).argmax())


def _named(portrait: np.ndarray, words: str) -> np.ndarray:
    written = portrait.copy()  # the portrait itself is animated
    for colour, width in ((0, 3), (255, 1)):
        cv2.putText(written, words, (3, HEAD - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (colour,) * 3,
                    width, cv2.LINE_AA)  # fmt: skip
    return written


def _joined(cells: list[np.ndarray]) -> np.ndarray:
    gap = np.full((cells[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.concatenate([part for cell in cells for part in (cell, gap)], axis=1)
    return np.concatenate([row, np.full((GAP, row.shape[1], 3), 255, np.uint8)])


def _label(first: str, size: int, *rest: str) -> np.ndarray:
    line = np.full((HEAD, size + GAP + len(rest) * (3 * size + GAP), 3), 255, np.uint8)
    for i, text in enumerate((first, *rest)):
        x = 0 if i == 0 else size + GAP + (i - 1) * (3 * size + GAP)
        cv2.putText(line, text, (x, HEAD - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1,
                    cv2.LINE_AA)  # fmt: skip
    return line
