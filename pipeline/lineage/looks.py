"""Finding a person by look: a perceptual hash of pictures and clips, whatever their name or codec.

The hash is a grey thumbnail without mean and contrast; two are compared by correlation. On 66 clips
of twelve people the same frames after recompression and scaling by half and by two stayed within
0.008 of 1, and no frames of two people came nearer than 0.068. (A difference hash did not tell
them apart: before a plain backdrop half of its bits are noise.) A copy that is cut, or that stands
inside a larger picture, has another hash; one that is turned or mirrored is compared as such.
"""

from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.lineage.decode import frames_of
from pipeline.media.video import Frames

SIDE = 32  # px
ALIKE = 0.02  # below this distance two frames are the same picture
NONE = np.zeros((0, SIDE**2), np.float32)


def look(frames: Frames) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB > (T, 1024) float32 thumbnails of mean 0 and length 1."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    small = [cv2.resize(g, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for g in grey]
    flat = np.stack(small).reshape(len(frames), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def turned(known: np.ndarray) -> np.ndarray:
    """(R, 1024) thumbnails > (8 R, 1024): each in its four turns, and mirrored."""
    square = known.reshape(-1, SIDE, SIDE)
    turns = [np.rot90(side, k, (1, 2)) for side in (square, square[:, :, ::-1]) for k in range(4)]
    return np.concatenate(turns).reshape(-1, SIDE**2)


def distance(frames: np.ndarray, known: np.ndarray) -> float:
    """1 - the highest correlation of a frame of (T, 1024) with one of (R, 1024); 0: the same."""
    return float(1 - (frames @ known.T).max())


def nearest(path: Path, known: np.ndarray) -> tuple[str, float]:
    """What a file is, and its `distance` to (R, 1024) known thumbnails; 1 when it shows nothing.

    It is a "picture", a "film", "nothing", or "broken": one that could not be decoded to its end.
    """
    kind, near = "broken", 1.0
    try:
        kind, frames = frames_of(path)
        for frame in frames if len(known) else ():
            near = min(near, distance(look(frame[None]), known))
            if near < ALIKE:
                break
    except ClipError:
        kind = "broken"
    return kind, near


def looks_of(path: Path) -> np.ndarray:
    """(2 T, 1024) thumbnails of the frames of a file, as they are and with red and blue swapped.

    Some films are read swapped. None when the file shows nothing.
    """
    seen = [look(np.stack([f, f[..., ::-1]])) for f in frames_of(path)[1]]
    return np.concatenate(seen) if seen else NONE
