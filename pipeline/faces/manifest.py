"""The manifest stage: what every clip, transfer and crop shows, small enough for git.

A row holds the digest of the decoded pixels and a signature: the mean luminance of 4 x 4 blocks in
each frame, in 256ths of a level, counted in whole numbers so that it is the same on any machine. A
stranger without the films can tell from it whether theirs are the same, or how far off.
"""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.files import write_jsonl
from pipeline.media.video import Frames, read_clip

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace

BLOCKS = 4  # a side: 16 means a frame are half a kilobyte a clip, and a shifted frame moves them
STEP = 256  # parts of a level: rounding moves a block by less than one, another sampling by many
_LUMA = np.array([2126, 7152, 722])  # ten-thousandths, Rec. 709


def make(workspace: "Workspace", study: "Study", params: "Params") -> None:
    """Write the manifest of a study's films: one row a file, sorted by path below its data."""
    del study, params
    folders = (workspace.clips, workspace.transferred, workspace.faces)
    write_jsonl(workspace.manifest, [row for folder in folders for row in rows(folder)])


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """One row a film of a folder: `file`, `shape` (T, H, W), `pixels`, `signature`."""
    for path in sorted(folder.glob("*.mp4")):
        frames = read_clip(path)
        yield {
            "file": f"{folder.name}/{path.name}",
            "shape": list(frames.shape[:3]),
            "pixels": hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest(),
            "signature": base64.b64encode(signature(frames).astype("<u2").tobytes()).decode(),
        }


def signature(frames: Frames) -> np.ndarray:
    """(T, BLOCKS, BLOCKS) mean luminance of (T, H, W, 3) uint8 frames in 1 / STEP of a level."""
    count, high, wide, _ = frames.shape
    tall, broad = high // BLOCKS, wide // BLOCKS
    whole = frames[:, : tall * BLOCKS, : broad * BLOCKS].astype(np.int64) @ _LUMA
    blocks = whole.reshape(count, BLOCKS, tall, BLOCKS, broad).sum(axis=(2, 4))
    return np.asarray(blocks * STEP // (10_000 * tall * broad))


def read_signature(row: dict[str, Any]) -> np.ndarray:
    """The signature in a row, as `signature` gives it."""
    values = np.frombuffer(base64.b64decode(row["signature"]), dtype="<u2")
    return values.reshape(-1, BLOCKS, BLOCKS).astype(np.int64)
