"""How much typed words help the mood study's camera, by severity of hypomimia.

`python -m benchmarks.fusion [--study mood]` after `pallor run --study mood` prints a table for the
first model's answers without a leak: the mean of twenty drawings of texts, and their spread. The
last line is one JSON object of the same.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from flows.studies import opened
from flows.workspace import home
from pipeline.evaluation.typed import by_severity
from pipeline.exports.parts import fetch_parts, lexicon
from pipeline.files import child_seed, read_jsonl
from pipeline.splits.tables import read_tracks

DRAWINGS = 20  # of texts: one drawing moves a band by two points


def main() -> None:
    """Read the predictions, draw texts, print."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--study", default="mood")
    workspace, study, params = opened(page.parse_args().study)
    words = lexicon(fetch_parts(home()))
    tracks = {track.clip_id: track for track in read_tracks(workspace.faces)}
    task, model, _ = study.trials()[0]
    sound = next(name for name, rules in study.protocols.items() if not rules.leaky)
    rows = [
        row
        for draw in study.protocols[sound].draws(sound)
        for row in read_jsonl(workspace.answers(task, model, draw))
    ]
    severities = [tracks[row["clip_id"]].targets.get("severity", 0.0) for row in rows]
    rng = np.random.default_rng(child_seed(params.seed, "typed"))
    tables = [by_severity(rows, severities, words, rng) for _ in range(DRAWINGS)]
    bands = [_over_drawings(band) for band in zip(*tables, strict=True)]
    print(f"{task}, {model}, {sound}: weighted F1 of the face alone, and with drawn text")
    for band in bands:
        low, high = band["severity"]
        told = f"{band['face']:.3f}  {band['fused']:.3f} +- {band['fused_sd']:.3f}"
        print(f"  {low:.1f} to {high:.1f}  n {band['n']:4}  {told}")
    print(json.dumps({"study": study.name, "drawings": DRAWINGS, "bands": bands}))


def _over_drawings(band: Sequence[dict[str, Any]]) -> dict[str, Any]:
    fused = [row["fused"] for row in band]
    spread = {"fused": round(float(np.mean(fused)), 4), "fused_sd": round(float(np.std(fused)), 4)}
    return band[0] | spread


if __name__ == "__main__":
    main()
