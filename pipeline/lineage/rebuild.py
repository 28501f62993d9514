"""Random clips rendered anew and held against the stored pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.corpus.render import render_specs, spec_of
from pipeline.errors import ClipError
from pipeline.media.video import read_clip
from pipeline.records import ClipPlan
from pipeline.store.store import Store


@dataclass(frozen=True)
class Rebuilt:
    """One clip made again: is it the same to the last bit, and if not how far away."""

    clip_id: str
    same: bool
    largest: int  # grey levels of 255, over all pixels and channels
    psnr: float  # dB; infinite when the same

    def text(self) -> str:
        """One line for people."""
        if self.same:
            return f"{self.clip_id}: rebuilt bit for bit"
        return f"{self.clip_id}: DIFFERS by up to {self.largest} levels, {self.psnr:.1f} dB PSNR"


Stored = tuple[ClipPlan, Path]  # a planned clip, and its film


def draw(clips: list[Stored], count: int, seed: int) -> list[Stored]:
    """`count` different clips, the same for the same seed."""
    order = np.random.default_rng(seed).permutation(len(clips))
    return [clips[number] for number in order[:count]]


def rebuild(clips: list[Stored], store: Store) -> Iterator[Rebuilt]:
    """Render `clips` in a fresh Blender process, past the work store, and compare each.

    Raises ClipError when a stored clip cannot be read or has another shape.
    """
    rendered = render_specs([spec_of(clip) for clip, _ in clips], store.root, store)
    for (clip, film), (frames, _) in zip(clips, rendered, strict=True):
        stored = read_clip(film)
        if stored.shape != frames.shape:
            raise ClipError(f"{clip.clip_id} is stored as {stored.shape}, rebuilt {frames.shape}")
        error = np.abs(stored.astype(np.int16) - frames.astype(np.int16))
        mean = float((error.astype(np.float64) ** 2).mean())
        psnr = float(10 * np.log10(255**2 / mean)) if mean else float("inf")
        yield Rebuilt(clip.clip_id, not error.any(), int(error.max()), psnr)
