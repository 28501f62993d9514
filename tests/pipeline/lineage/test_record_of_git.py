"""The record in git against this machine: one clip of the corpus is made again."""

import base64
import hashlib
from pathlib import Path

from pipeline.corpus.planned import read_plan
from pipeline.corpus.render import render_specs, spec_of
from pipeline.faces.manifest import signature
from pipeline.files import read_jsonl
from pipeline.lineage.record import alike
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
    pixels = hashlib.sha256(frames.tobytes()).hexdigest()
    mark = base64.b64encode(signature(frames).astype("<u2").tobytes()).decode()
    # Identical on processors of the record's maker; another's reciprocals move what rays hit.
    assert alike(row, row | {"shape": row["shape"], "pixels": pixels, "signature": mark})
