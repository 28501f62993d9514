"""Pallor from Python: plan, render, transfer, read a corpus, load a model, ask it.

    import pallor
    table = pallor.corpus("handover")            # one row a clip, a pandas DataFrame
    for row, frames in pallor.clips("handover"): # and the pixels of each
        ...
    pallor.predict("film.mp4", "clean.safetensors").label

`import pallor` itself loads nothing of weight; each function loads what it needs. It works inside
a clone and outside one, after `pip install`. Errors that a person can put right are `PallorError`.

It is also the program `pallor`. It stands apart from the packages, because PYTHONPATH may hold
others under their names.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # names of types; a caller who needs none of them loads nothing
    import numpy as np
    import pandas as pd

    from models import Classifier
    from pipeline.errors import PallorError
    from pipeline.evaluation.predict import Prediction
    from pipeline.motion.perform import Performed

__all__ = [
    "PallorError",
    "Rendered",
    "clips",
    "corpus",
    "load_model",
    "plan",
    "predict",
    "render",
    "studies",
    "transfer",
]
OURS = ("avatars", "flows", "fomm", "models", "pipeline")


class Ours(MetaPathFinder):
    """Finds our packages beside this file and nowhere else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of one of OURS; None for all other modules."""
        here = [str(Path(__file__).resolve().parent)]
        return PathFinder.find_spec(fullname, here, target) if fullname in OURS else None


def main() -> int:
    """Run the command line; its exit code."""
    sys.meta_path.insert(0, Ours())
    from flows.cli import main as run

    return run()


def __getattr__(name: str) -> Any:
    if name == "PallorError":
        from pipeline import errors

        return errors.PallorError
    raise AttributeError(f"pallor has no '{name}'; it has {', '.join(__all__)}")


@dataclass(frozen=True)
class Rendered:
    """A rendered clip: `frames` (T, H, W, 3) uint8 RGB at `fps` a second.

    `truth` holds the arrays of docs/formats/clip.md by name, one row a frame.
    """

    frames: "np.ndarray"
    fps: int
    truth: "dict[str, np.ndarray]"


def studies() -> list[str]:
    """The names of the studies: a workspace's own, elsewhere those that ship."""
    from pipeline.study_checks import known_studies

    return known_studies(_root())


def plan(study: str = "deterioration", root: str | Path | None = None) -> "pd.DataFrame":
    """What a study would make, one row a clip, portrait or transfer, before one pixel.

    `root` is a workspace; by default this one, or outside of any the studies that ship. The columns
    are those of docs/formats/plan.md. Raises PallorError for an unknown study.
    """
    from pipeline.corpus.plan import make_plan
    from pipeline.params import load_params
    from pipeline.study_checks import open_study
    from pipeline.workspace import Workspace

    workspace = Workspace(study, _root(root))
    asked = open_study(workspace)
    params = load_params(workspace.params, asked.params)
    register = workspace.root / params.portraits.source / "register.csv"
    return _table([row.row() for row in make_plan(asked, params, register)])


def render(identity: int, expression: str, **settings: Any) -> Rendered:
    """Person number `identity` performing `expression` ("smiling"), rendered by Blender.

    `settings` are parameters of `plan` in params.yaml, such as `size=64` (pixels a side) or
    `frames=8`. Assets and finished clips are kept in `.pallor` or PALLOR_HOME. A minute at most.
    Raises PallorError for an unknown name or setting.
    """
    from avatars.assets import fetch
    from flows.workspace import home
    from pipeline.corpus import render as stage
    from pipeline.corpus.plan import plan_clip, population
    from pipeline.media.video import read_clip
    from pipeline.params import parse_params
    from pipeline.store.store import Store

    params = parse_params({"plan": settings}, "pallor.render")
    person = population(params, "corpus", identity)
    key = f"{identity}/{expression}"
    clip = plan_clip(params, person, key, expression, params.plan.frames)
    fetch(home())
    [job], store = stage.clip_jobs([clip]), Store(home(), "render")
    stage.work([] if store.has(job.key) else [job], store)
    made = store.path(job.key)
    return Rendered(read_clip(made / "clip.mp4"), clip.fps, stage.read_truth(made / "clip.npz"))


def transfer(
    portrait: str | Path,
    driving: str | Path,
    checkpoint: str | Path | None = None,
    relative: bool = True,
) -> "Performed":
    """The face of a picture moving as the one in a video: `frames`, `fps` and `notes`.

    `checkpoint` is a motion model, by default the one that ships. `relative` keeps the portrait's
    own face shape. Raises PallorError where a file cannot be read or shows no face.
    """
    from pipeline.motion.perform import perform
    from pipeline.params import Params, TransferParams
    from pipeline.store.shipped import shipped

    model = Path(checkpoint) if checkpoint else shipped(Params().motion.checkpoint)
    return perform(Path(portrait), Path(driving), model, TransferParams(relative=relative))


def corpus(folder: str | Path = ".", study: str = "deterioration") -> "pd.DataFrame":
    """A corpus as a table, one row a clip, by clip_id; columns of docs/formats/dataset.md.

    `folder` is a dataset that `pallor export croissant` wrote, or a workspace with a finished
    `study`. `video`, `face` and `truth` are whole paths. Raises PallorError where it is neither.
    """
    from pipeline.exports.table import read_rows

    return _table(read_rows(Path(folder), study))


def clips(
    folder: str | Path = ".", study: str = "deterioration", what: str = "face"
) -> "Iterator[tuple[dict[str, Any], np.ndarray]]":
    """Each clip of a corpus as (row, frames), frames (T, H, W, 3) uint8 RGB, one in memory.

    `what` is "face" (the crops that a network sees) or "video" (whole frames). Raises PallorError
    as `corpus` does, or where a file cannot be read.
    """
    from pipeline.errors import ParamsError
    from pipeline.exports.table import read_rows
    from pipeline.media.video import read_clip

    if what not in ("face", "video"):
        raise ParamsError(f"what is '{what}'; a corpus has 'face' and 'video'")
    for row in read_rows(Path(folder), study):
        yield row, read_clip(Path(row[what]))


def load_model(path: str | Path) -> "Classifier":
    """A trained classifier: `labels`, and `probabilities(windows)` of uint8 windows.

    Raises PallorError where the file is missing or no model of ours.
    """
    from models import load
    from models.errors import ModelError
    from pipeline.errors import AssetError

    try:
        return load(Path(path))
    except ModelError as error:
        raise AssetError(str(error)) from error


def predict(video: str | Path, model: str | Path, fps: int = 8) -> "Prediction":
    """What a model file sees in a video of one person: `label`, `probabilities`, `notes`.

    `fps` is the frame rate of the corpus that the model was trained on. Raises PallorError where
    no face is found, or the video is too short. Not a diagnosis.
    """
    from pipeline.evaluation.predict import predict as judge
    from pipeline.params import Params, PlanParams
    from pipeline.study import Input

    loaded = load_model(model)
    sizes = loaded.network.sizes
    view = Input(frames=loaded.window, size=sizes.size, channels=sizes.channels)
    return judge(Path(video), Path(model), Params(plan=PlanParams(fps=fps)), view)


def _root(root: str | Path | None = None) -> Path:
    """The workspace asked for, else this folder, else what ships."""
    from pipeline.store.shipped import shipped

    return Path(root) if root else shipped("params.yaml").parent


def _table(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    from pipeline.exports.library import library

    return library("pandas").DataFrame(rows)
