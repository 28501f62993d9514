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
from pipeline.motion.perception import load_perception
from pipeline.params import MotionParams, Params, load_params
from pipeline.precision import processor_precision
from pipeline.store.store import Job, Store

if TYPE_CHECKING:  # who only names a type does not depend on its code
    from pipeline.study import Study
    from pipeline.workspace import Workspace

OUT = Path("checkpoints/motion")
FIRST = OUT / "first.safetensors"  # of an earlier training, which its .json records
SMALL = OUT / "blend-128.safetensors"  # whose motion networks a larger one begins with
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
    return jobs_of(params)


def jobs_of(params: Params) -> list[Job]:
    """As `jobs`, of parameters alone."""
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
    start = fomm.load_checkpoint(_start(params), "auto") if params.warm else None
    bf16, because = _precision(params.device)
    config = _config(params, bf16)
    perception = load_perception() if params.perceptual else None
    seen, unseen = data.people(slice(None, -HELD_OUT)), data.people(slice(-HELD_OUT, None))
    torch.set_num_threads(THREADS)
    try:
        model, curve = train(
            seen, config, seed, state, say, params.device, start, perception
        )  # fmt: skip
    except fomm.MotionError as error:
        raise StageError(str(error)) from error
    record: dict[str, object] = {
        "model": config.model.name,
        "start": _begun(_start(params)) if params.warm else None,
        "steps": config.phases(),
        "precision": because,
        "device": _device_name(params.device),
        "beyond": {n: getattr(params, n) for n in ("perceptual", "colour_cast", "blur", "jpeg")},
        "people": {"trained on": len(seen.frames), "held out": len(unseen.frames)},
        "held_out": figures(model, unseen),
        "curve": curve,
        "torch": torch.__version__,
        "threads": THREADS,
    }
    weights, told = _files(params, out)
    with writing(weights) as part:
        fomm.save_checkpoint(part, model)
    write_json(told, record)
    return record


def _files(params: MotionParams, out: Path) -> tuple[Path, Path]:
    """Checkpoint and record: the stage's own names, or those of a network that is not its own."""
    if params.network == SMALL.stem:
        return out / Path(params.checkpoint).name, out / "record.json"
    return out / f"{params.network}.safetensors", out / f"{params.network}.json"


def _start(params: MotionParams) -> Path:
    return FIRST if params.network == SMALL.stem else SMALL


def _config(params: MotionParams, bf16: bool) -> TrainConfig:
    """The schedule; a model that was trained before needs only its flow and the last phase."""
    early = 0.0 if params.warm else float(params.steps)
    flow = WARM_FLOW if params.warm else FLOW
    fresh = 0.0 if params.warm and params.network == SMALL.stem else float(params.steps)
    return TrainConfig(
        model=fomm.CONFIGS[params.network], steps=params.steps, point_steps=round(POINTS * early),
        flow_steps=round(flow * params.steps), picture_steps=round(PICTURE * fresh),
        batch=params.batch,
        learning_rate=params.learning_rate, image_rate=IMAGE * params.learning_rate, bf16=bf16,
        perceptual=params.perceptual, colour_cast=params.colour_cast, blur=params.blur,
        jpeg=params.jpeg,
    )  # fmt: skip


def _precision(device: str) -> tuple[bool, str]:
    """Whether convolutions count in bf16, and why."""
    check_device(device)
    if device == "cpu":
        dtype, because = processor_precision(vectors=True)
        return dtype is torch.bfloat16, because
    return True, "bf16: this GPU has bf16 matrix units; sampling's gradient has no fixed order"


def check_device(device: str) -> None:
    """StageError without the GPU that is asked for."""
    if device != "cpu" and not torch.cuda.is_available():
        raise StageError(
            f"motion.device is {device}, but torch {torch.__version__} sees no GPU; install its "
            "CUDA build, or take cpu"
        )


def _device_name(device: str) -> str:
    return "cpu" if device == "cpu" else torch.cuda.get_device_name()


def _begun(start: Path) -> dict[str, object]:
    """The checkpoint that is trained on, by hash, and what its own record says of it."""
    told = start.with_suffix(".json") if start == FIRST else OUT / "record.json"
    record = read_json(told)
    del record["curve"]
    return {"sha256": file_digest(start), "record": record}
