"""The record in git against this machine: one clip of the corpus is made again."""

import hashlib
from pathlib import Path

import numpy as np

from pipeline.corpus.planned import read_plan
from pipeline.corpus.render import render_specs, spec_of
from pipeline.faces.manifest import STEP, read_signature, signature
from pipeline.files import read_jsonl
from pipeline.lineage.record import TOLERANCE
from pipeline.store.store import Store
from pipeline.workspace import Workspace

FILES = Workspace(root=Path(__file__).parents[3])


def test_a_clip_of_the_record_is_made_again(assets, tmp_path):
    del assets  # fetched before it is asked for
    record = {row["file"]: row for row in read_jsonl(FILES.manifest)}
    clip = min(read_plan(FILES.plan).clips, key=lambda clip: clip.clip_id)
    row = record[f"clips/{clip.clip_id}.mp4"]
    home = FILES.root / ".pallor"
    [(frames, _)] = render_specs([spec_of(clip)], home, Store(tmp_path, "render"))
    assert list(frames.shape[:3]) == row["shape"]
    if hashlib.sha256(frames.tobytes()).hexdigest() != row["pixels"]:
        # Held to AVX2 they are equal on every processor seen so far; rounding may still differ.
        off = np.abs(signature(frames) - read_signature(row)).max() / STEP
        assert off <= TOLERANCE
