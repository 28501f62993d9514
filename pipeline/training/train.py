"""The train stage: one network a task, model and draw, as many at a time as there are workers.

`python -m pipeline.training.train` is a worker's process; `work` makes its requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from models import Classifier
from pipeline.closure import code_digest
from pipeline.errors import StageError
from pipeline.files import child_seed, digest, file_digest, write_json, writing_folder
from pipeline.params import TrainParams
from pipeline.precision import processor_precision
from pipeline.splits.crop_shards import crop_shards, shard_crops
from pipeline.splits.tables import Cut, stream_cuts
from pipeline.splits.validation import hold_out, kind_of
from pipeline.splits.windows import clips_of
from pipeline.store.store import Job, Store
from pipeline.store.torch_worker import delegate, serve
from pipeline.training.fit import Epoch, best_epoch, rows
from pipeline.training.learn import Recipe, learn

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Trial:
    """One network to train: its table of samples, the folder of crops, and how it is taught.

    `together` is what the protocol holds together, `mirror` takes classes to those of the mirrored
    face, `parameters` are the network's own. `model` is its name in the study, `network` the one in
    the registry; one without `reference` does not see what the study compares with.
    """

    task: str
    model: str
    draw: str
    together: str
    table: Path
    faces: Path
    channels: int
    mirror: dict[str, str]
    parameters: dict[str, Any]
    params: TrainParams
    seed: int
    network: str
    reference: bool

    @property
    def name(self) -> str:
        """For people: "display convlstm clean"."""
        return f"{self.task} {self.model} {self.draw}"

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.network, self.params, self.parameters, self.mirror)


def jobs(workspace: "Workspace", study: "Study", params: "Params") -> list[Job]:
    """One job a trained network; its key also holds the digest of every crop the table names."""
    return [_job(trial) for trial in trials(workspace, study, params)]


def trials(workspace: "Workspace", study: "Study", params: "Params") -> list[Trial]:
    """Every network of a study: tasks x models x draws.

    The seed is the draw's, whatever the task and model, so models differ by themselves alone.
    """
    root = child_seed(params.seed_of_training, "train")
    return [
        Trial(
            task, model, draw, study.protocols[protocol].together,
            workspace.training_samples(task, draw), workspace.faces, study.input.channels,
            study.mirror_of(task), study.models[model].parameters,
            params.train.with_changes(study.models[model].train), child_seed(root, draw),
            study.network(model), study.models[model].reference,
        )
        for task, model, protocol in study.trials()
        for draw in study.protocols[protocol].draws(protocol)
    ]  # fmt: skip


def work(jobs: Sequence[Job], store: Store) -> None:
    """Train each network of the chunk in a worker; its progress goes to stdout."""
    for job in jobs:
        with store.making(job.key) as folder:
            _run(job.item, folder, store.unfinished(job.key) / "state.pt")
        store.log("trained", name=job.name, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Fill the folder of models with <task>/<model>/<draw>.safetensors and .json."""
    with writing_folder(workspace.models) as part:
        for job in jobs:
            trial: Trial = job.item
            out = part / trial.task / trial.model
            out.mkdir(parents=True, exist_ok=True)
            for suffix in ("safetensors", "json"):
                made = store.path(job.key) / f"model.{suffix}"
                (out / f"{trial.draw}.{suffix}").write_bytes(made.read_bytes())


def train(trial: Trial, out: Path, state: Path | None = None) -> Classifier:
    """Train on the training side of the trial's table; write `out`/model.safetensors and .json.

    `state` is what a killed training goes on from (`fit`). Same trial, same bytes, on one kind of
    processor. Raises StageError when the training side is too small for a validation split.
    """
    params = trial.params
    cuts = [cut for cut in stream_cuts(trial.table, trial.reference) if cut.side != "test"]
    seed = child_seed(trial.seed, "carve")
    fitted, held = hold_out(cuts, trial.together, params.validation_fraction, seed)
    print(f"train {trial.name}: {_arithmetic(params)}", flush=True)
    if state is not None and state.is_file():
        print(f"train {trial.name}: goes on where a killed run was", flush=True)
    with TemporaryDirectory(prefix=".crops-", dir=out) as folder, crop_shards(Path(folder)) as made:
        crops = shard_crops(made, trial.faces, clips_of(fitted + held), trial.channels)
        classifier, curve = learn(
            trial.recipe, (fitted, held), crops, child_seed(trial.seed, "fit"),
            lambda row: print(_line(trial.name, row, params.epochs), flush=True), state,
        )  # fmt: skip
    classifier.save(out / "model.safetensors")
    record = _record(trial, (fitted, held), classifier, curve)
    write_json(out / "model.json", record)
    return classifier


def _job(trial: Trial) -> Job:
    clips = sorted(clips_of(stream_cuts(trial.table, trial.reference)))
    how = {
        "trial": [trial.task, trial.model, trial.draw],  # its record names them
        "table": file_digest(trial.table),
        "crops": [file_digest(trial.faces / f"{clip_id}.mp4") for clip_id in clips],
        "channels": trial.channels,
        "together": trial.together,
        "model": [trial.network, trial.parameters],
        "reference": trial.reference,
        "mirror": trial.mirror,
        "params": trial.params.model_dump(),
        "seed": trial.seed,
        "code": code_digest(__name__),
    }
    return Job(digest(how), trial.name, trial)


def _line(name: str, row: Epoch, epochs: int) -> str:
    return (
        f"train {name} {row.epoch}/{epochs}: loss {row.loss:.3f}, accuracy {row.accuracy:.3f}, "
        f"validation {row.validation_loss:.3f}, {row.validation_accuracy:.3f}"
    )


def _record(
    trial: Trial,
    parts: tuple[Sequence[Cut], Sequence[Cut]],
    classifier: Classifier,
    curve: list[Epoch],
) -> dict[str, Any]:
    fitted, held = parts
    return {
        "task": trial.task,
        "model": trial.model,
        "draw": trial.draw,
        "labels": list(classifier.labels),
        "parameters": trial.parameters,
        "params": trial.params.model_dump(),
        "windows": {
            "originals": sum(sample.origin is None for sample in fitted),
            "copies": sum(sample.origin is not None for sample in fitted),
            "validation": len(held),
        },
        "validation_unit": kind_of(trial.together),
        "best_epoch": best_epoch(curve).epoch,
        "curve": rows(curve),
        "torch": version("torch"),
        "precision": _arithmetic(trial.params),
        "temperature": classifier.temperature,
    }


def _arithmetic(params: TrainParams) -> str:
    return processor_precision()[1] if params.device == "cpu" else f"float32 on {params.device}"


def _run(trial: Trial, out: Path, state: Path) -> None:
    places = {"table": str(trial.table.resolve()), "faces": str(trial.faces.resolve())}
    request = {
        "trial": {**vars(trial), **places, "params": trial.params.model_dump()},
        "out": str(out.resolve()),
        "state": str(state.resolve()),
    }
    try:
        delegate(__name__, request)
    except StageError as error:
        raise StageError(f"training {trial.name} failed: {error}") from error


def _answer(request: dict[str, Any]) -> None:
    said = request["trial"]
    places = {name: Path(said[name]) for name in ("table", "faces")}
    trial = Trial(**{**said, **places, "params": TrainParams(**said["params"])})
    train(trial, Path(request["out"]), Path(request["state"]))


if __name__ == "__main__":
    serve(_answer)
