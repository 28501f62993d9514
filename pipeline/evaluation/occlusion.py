"""Why a network answers as it does: frames and parts are covered in turn, and what the answer loses
is how much each of them mattered (Zeiler & Fergus 2014, arXiv:1311.2901).

It tells what this network used, not what a face means.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models import Classifier

CELLS = 8  # a side: a cell is about an eye wide; the pages of `pallor web` cover the same
FRAME = 96  # px of a frame in the drawn strip
BARS = 48  # px of the bars under it


@dataclass(frozen=True)
class Why:
    """What the mean share of `label` loses when something is covered; below 0 it gains.

    `frames` (T,): each whole frame; `parts` (CELLS, CELLS): each part in all frames, rows from the
    top, columns from the picture's left.
    """

    label: str
    share: float
    frames: np.ndarray
    parts: np.ndarray

    def sentence(self) -> str:
        """The frame and the part that count most, for people."""
        if max(self.frames.max(), self.parts.max()) < 0.02:
            return (
                f"no single frame or part decides: covering any of them hardly moves {self.label}"
            )
        frame = int(self.frames.argmax())
        row, column = np.unravel_index(self.parts.argmax(), self.parts.shape)
        return (
            f"covering frame {frame} costs {self.label} {100 * self.frames[frame]:.0f} points of "
            f"{100 * self.share:.0f}, covering the part {_where(int(row), int(column))} "
            f"{100 * self.parts[row, column]:.0f}"
        )


def explain(
    model: Classifier, crops: np.ndarray, starts: Sequence[int], label: str | None = None
) -> Why:
    """Why a model gives `label` (None: its likeliest class) its share over windows of a clip.

    `crops` (T, S, S) or (T, S, S, C) uint8; a window begins at each of `starts`.
    """

    def shares(seen: np.ndarray, among: Sequence[int]) -> np.ndarray:
        windows = np.stack([seen[start : start + model.window] for start in among])
        return model.probabilities(windows)

    whole = shares(crops, starts)
    mean = whole.mean(axis=0)
    place = int(mean.argmax()) if label is None else model.labels.index(label)
    grey = np.round(crops.mean(axis=(0, 1, 2))).astype(np.uint8)
    frames = np.zeros(len(crops))
    for number in range(len(crops)):
        rows = [n for n, s in enumerate(starts) if s <= number < s + model.window]
        if rows:  # windows that do not hold the frame do not change
            covered = crops.copy()
            covered[number] = grey
            moved = whole[:, place].copy()
            moved[rows] = shares(covered, [starts[n] for n in rows])[:, place]
            frames[number] = mean[place] - moved.mean()
    parts = np.zeros((CELLS, CELLS))
    edges = np.round(np.linspace(0, crops.shape[1], CELLS + 1)).astype(int)
    for row in range(CELLS):
        for column in range(CELLS):
            covered = crops.copy()
            covered[:, edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = grey
            parts[row, column] = mean[place] - shares(covered, starts)[:, place].mean()
    return Why(model.labels[place], float(mean[place]), frames, parts)


def draw(why: Why, crops: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB: the frames with a bar under each, then the parts over the frame that
    counts most. A longer bar and a redder part cost the answer more."""
    strip = np.concatenate([_frame(frame, FRAME) for frame in crops], axis=1)
    bars = np.full((BARS, strip.shape[1], 3), 255, np.uint8)
    most = max(float(why.frames.max()), 1e-6)
    for number, loss in enumerate(why.frames):
        height = round((BARS - 6) * max(0.0, float(loss)) / most)
        left = number * FRAME + FRAME // 4
        bars[BARS - height :, left : left + FRAME // 2] = (175, 65, 62)
    face = _heated(_frame(crops[int(why.frames.argmax())], 4 * FRAME), why.parts)
    floor = np.full((face.shape[0], max(0, strip.shape[1] - face.shape[1]), 3), 255, np.uint8)
    below = np.concatenate([face, floor], axis=1)
    right = np.full((len(strip) + BARS, max(0, below.shape[1] - strip.shape[1]), 3), 255, np.uint8)
    above = np.concatenate([np.concatenate([strip, bars]), right], axis=1)
    return np.concatenate([above, below])


def _heated(face: np.ndarray, parts: np.ndarray) -> np.ndarray:
    size = (face.shape[1], face.shape[0])
    heat = np.clip(parts / max(float(parts.max()), 1e-6), 0, 1)
    heat = cv2.resize(heat, size, interpolation=cv2.INTER_NEAREST)[..., None]
    red = np.array([214, 40, 40])
    return np.round(face * (1 - 0.6 * heat) + red * 0.6 * heat).astype(np.uint8)


def _frame(frame: np.ndarray, size: int) -> np.ndarray:
    large = cv2.resize(frame, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.repeat(large[..., None], 3, axis=2) if large.ndim == 2 else large


def _where(row: int, column: int) -> str:
    height = ("at the top", "in the upper half", "in the lower half", "at the bottom")[row // 2]
    side = "left" if column < CELLS // 2 else "right"  # the picture's, not the person's
    return f"{height} on the picture's {side}"
