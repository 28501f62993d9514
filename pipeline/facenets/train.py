"""The facenets stage: train both networks on renders and say how good they are."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.errors import StageError
from pipeline.facenets import blazeface, fan, stills, textures, training
from pipeline.facenets.figures import by_group, examine, groups_of
from pipeline.facenets.stills import Stills
from pipeline.facenets.training import Say, Task
from pipeline.faces.alignment import AlignmentDetector
from pipeline.faces.detect import find_weights
from pipeline.files import child_seed, write_json
from pipeline.params import FacenetParams, Params, load_params
from pipeline.store.store import Job, Store

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.study import Study
    from pipeline.workspace import Workspace

OUT = Path("checkpoints/facenets")
HELD_OUT = 36  # people the networks never see: each sex, ethnic group and age band together twice
TASKS: dict[str, Callable[[Stills, np.ndarray, FacenetParams], Task]] = {
    "blazeface": blazeface.task, "fan": fan.task,
}  # fmt: skip


def jobs(workspace: "Workspace", study: "Study", params: Params) -> list[Job]:
    """One job a person of the training stills."""
    del workspace, study
    return stills.jobs(params)


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk."""
    stills.work(jobs, store)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Train both networks on the stills; writes their weights and record.json.

    A killed training goes on from the work store's folder.
    """
    params = load_params(workspace.params)
    state = store.root / "work" / "facenets-training"
    out = workspace.root / OUT
    train_facenets(stills.load(jobs, store), params.facenets, params.seed, out, state)
    shutil.rmtree(state)  # what a killed training goes on from


def train_facenets(
    shown: Stills, params: FacenetParams, seed: int, out: Path, state: Path, say: Say = print
) -> dict[str, Any]:
    """Train on the stills `shown`, `params.stills` a person, person after person; the record.

    Writes `blazeface.pth`, `anchors.npy`, `2DFAN1.pth.tar` and `record.json` in `out`. A killed
    training goes on from the folder `state`. Raises StageError when too few people are given.
    """
    if len(shown) <= HELD_OUT * params.stills:
        raise StageError(
            f"{len(shown) // params.stills} people are too few to train on: {HELD_OUT} are held "
            f"out; set facenets.identities to {HELD_OUT + 1} or more"
        )
    seen = shown.part(slice(None, -HELD_OUT * params.stills))
    unseen = shown.part(slice(-HELD_OUT * params.stills, None))
    trained = {name: _train(name, seen, params, seed, state, say) for name in TASKS}
    blazeface.save(out, trained["blazeface"][0].net)
    fan.save(out / "2DFAN1.pth.tar", trained["fan"][0].net)
    record: dict[str, Any] = {
        "steps": {name: curve[-1]["step"] for name, (_, curve) in trained.items()},
        "precision": "float32; the FAN's weights are stored as float16",
        "people": {"trained on": len(seen) // params.stills, "held out": HELD_OUT},
        "stills": {"trained on": len(seen), "held out": len(unseen)},
        "held_out": judge(out, unseen),
        "curve": {name: curve for name, (_, curve) in trained.items()},
        "torch": torch.__version__,
        "threads": training.THREADS,
    }
    write_json(out / "record.json", record)
    return record


def judge(folder: Path, shown: Stills) -> dict[str, dict[str, float]]:
    """The figures of the networks in a folder, loaded as the faces stage loads them."""
    detector = AlignmentDetector(find_weights(folder))
    rows = zip(shown.frames, shown.landmarks, shown.people, strict=True)
    return by_group(
        examine(detector, frame, truth, groups_of(person)) for frame, truth, person in rows
    )


def _train(
    name: str, shown: Stills, params: FacenetParams, seed: int, state: Path, say: Say
) -> tuple[Task, training.Curve]:
    own = child_seed(seed, "facenets", name)
    drawn = textures.bank(np.random.default_rng(child_seed(seed, "facenets", "textures")))
    with training.repeatable(own):
        task = TASKS[name](shown, drawn, params)
        return task, training.train(task, own, state / f"{name}.pt", say)
