"""The motion stage: train the motion model on rendered performances and say how good it is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import fomm
from fomm.data import Performances
from fomm.loop import train
from fomm.recipe import TrainConfig
from pipeline.corpus import render
from pipeline.errors import StageError
from pipeline.files import file_digest, read_json, write_json, writing
from pipeline.motion.fidelity import figures
from pipeline.motion.grid import load_grid, training_clips
from pipeline.params import MotionParams, Params, load_params
from pipeline.precision import processor_precision
from pipeline.store.store import Job, Store

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.study import Study
    from pipeline.workspace import Workspace

MODEL = "blend-128"
OUT = Path("checkpoints/motion")
FIRST = OUT / "first.safetensors"  # of an earlier training, which its .json records
HELD_OUT = 4  # people the model never sees, who tell how good it is
# Steps of the cheaper phases for each step of the whole model; on two cores without bf16 units a
# step of the points costs a quarter, of the flow a half and of the picture an eighth of it.
POINTS, FLOW, PICTURE = 0.6, 1.5, 0.25
WARM_FLOW = 0.8  # of a model whose key points hold: only the mixing of their motions is taught
IMAGE = 5.0  # the image path's rate over the motion's, see TrainConfig.image_rate
THREADS = 2  # the sums' order, and so the bytes, follow from it


def jobs(workspace: "Workspace", study: "Study", params: Params) -> list[Job]:
    """One job a clip of the training grid, rendered as the corpus is."""
    del workspace, study
    clips = training_clips(params)
    return [*render.clip_jobs(clips), *render.pass_jobs(clips)]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Render the chunk."""
    render.work(jobs, store)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Train on the grid; writes the checkpoint and record.json.

    A killed training goes on from the work store's folder.
    """
    params = load_params(workspace.params)
    state = store.root / "work" / "motion-training.pt"
    out = workspace.root / OUT
    train_motion(load_grid(jobs, store, params), params.motion, params.seed, out, state)


def train_motion(
    data: Performances,
    params: MotionParams,
    seed: int,
    out: Path,
    state: Path | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, object]:
    """Train on people who all perform the same motions; the record of it.

    Writes `<name of params.checkpoint>` and `record.json` in `out`. `state` is the file through
    which a killed training goes on. Raises StageError when too few people are given to hold four
    out.
    """
    if len(data.frames) < HELD_OUT + 2:
        raise StageError(
            f"{len(data.frames)} people are too few to train on: {HELD_OUT} are held out and two "
            f"must be left; set motion.identities to {HELD_OUT + 2} or more"
        )
    start = fomm.load_checkpoint(FIRST, "auto") if params.warm else None
    dtype, because = processor_precision(vectors=True)
    config = _config(params, dtype is torch.bfloat16)
    seen, unseen = data.people(slice(None, -HELD_OUT)), data.people(slice(-HELD_OUT, None))
    torch.set_num_threads(THREADS)
    model, curve = train(seen, config, seed, state, say, start=start)
    record: dict[str, object] = {
        "model": config.model.name,
        "start": _first() if params.warm else None,
        "steps": config.phases(),
        "precision": because,
        "people": {"trained on": len(seen.frames), "held out": len(unseen.frames)},
        "held_out": figures(model, unseen),
        "curve": curve,
        "torch": torch.__version__,
        "threads": THREADS,
    }
    with writing(out / Path(params.checkpoint).name) as part:
        fomm.save_checkpoint(part, model)
    write_json(out / "record.json", record)
    return record


def _config(params: MotionParams, bf16: bool) -> TrainConfig:
    """The schedule; a model that was trained before needs only its flow and the last phase."""
    early = 0.0 if params.warm else float(params.steps)
    flow = WARM_FLOW if params.warm else FLOW
    return TrainConfig(
        model=fomm.CONFIGS[MODEL], steps=params.steps, point_steps=round(POINTS * early),
        flow_steps=round(flow * params.steps), picture_steps=round(PICTURE * early),
        batch=params.batch,
        learning_rate=params.learning_rate, image_rate=IMAGE * params.learning_rate, bf16=bf16,
    )  # fmt: skip


def _first() -> dict[str, object]:
    """The checkpoint that is trained on, by hash, and what its own record says of it."""
    record = read_json(FIRST.with_suffix(".json"))
    del record["curve"]
    return {"sha256": file_digest(FIRST), "record": record}
