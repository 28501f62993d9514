"""A small corpus to look through: drawn films, real truth of units, answers half of them wrong."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np

from avatars.clip import ClipSpec, perform
from avatars.conditions import Condition, execute
from avatars.identity import Identity
from avatars.scene import Scene
from avatars.units import UNITS
from models import Classifier, build
from pipeline.corpus.planned import read_plan
from pipeline.splits.tables import read_tracks
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "drawn", ROOT / "tests" / "pipeline" / "lineage" / "conftest.py"
)
drawn = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drawn)

STUDY = drawn.STUDY | {
    "title": "Toy of displays",
    "arms": [
        {"label": "FD1", "cohorts": ["cast"], "expressions": ["FD1"]},
        {"label": "FD2-L", "cohorts": ["cast"], "expressions": ["FD2-L"], "conditions": [
            {"kind": "palsy", "severity": [0.4, 1.0], "drawn_per": "clip"}]},
    ],
}  # fmt: skip


def make(root: Path) -> None:
    """The corpus below `root`, without git and DVC."""
    drawn.make_files(root, STUDY)
    files = Workspace(STUDY["name"], root)
    for clip in read_plan(files.plan).clips:
        np.savez(files.clips / f"{clip.clip_id}.npz", **truth(clip))
    for track in read_tracks(files.faces):  # whole frames are the crops: 48 px, as the study asks
        folder = files.clips if track.kind == "avatar" else files.transferred
        shutil.copyfile(folder / f"{track.clip_id}.mp4", files.faces / f"{track.clip_id}.mp4")
    network = build("framecnn", classes=2, channels=1, size=48, frames=4, parameters={"width": 4})
    model = Classifier("framecnn", network.eval(), ("FD1", "FD2-L"), 4)
    model.save(files.model("display", "convlstm", "clean"))


def truth(clip) -> dict[str, np.ndarray]:
    """Units as the face performs them, and landmarks on a circle."""
    conditions = tuple(Condition.parse(row) for row in clip.conditions)
    spec = ClipSpec(
        Identity.parse(clip.identity), clip.expression, Scene.parse(clip.scene), clip.seed,
        clip.frames, clip.fps, clip.size, clip.samples, conditions,
    )  # fmt: skip
    intended = perform(spec).intended
    angles = np.linspace(0, 2 * np.pi, 68)
    points = 24 + 12 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return {
        "units": np.array(list(UNITS)),
        "intended": intended.astype(np.float32),
        "executed": execute(conditions, intended, clip.fps).astype(np.float32),
        "landmarks_px": np.repeat(points[None], clip.frames, axis=0).astype(np.float32),
        "landmarks_visible": np.ones((clip.frames, 68), bool),
    }
