"""The train stage: one ConvLSTM a protocol, in a process of its own, on the training side alone.

`python -m pipeline.training.train < request.json` is that process; the request is made by `work`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import models
from models import Classifier, build
from pipeline.closure import code_digest
from pipeline.errors import PallorError, StageError
from pipeline.files import (
    child_seed,
    digest,
    file_digest,
    read_jsonl,
    write_json,
    writing_folder,
)
from pipeline.params import TrainParams
from pipeline.records import PROTOCOLS, Protocol, Sample
from pipeline.splits.windows import Crops, clips_of, cut_windows, load_crops
from pipeline.store.store import Job, Store
from pipeline.training.augment import mirror_table
from pipeline.training.calibrate import fit_temperature
from pipeline.training.fit import Epoch, Part, best_epoch, fit, repeatable, rows


@dataclass(frozen=True)
class TrainJob:
    """One protocol's training: its oversampled table and the folder of crops."""

    protocol: Protocol
    table: Path
    faces: Path
    params: TrainParams
    seed: int


def jobs(oversampled: Path, faces: Path, params: TrainParams, seed: int) -> list[Job]:
    """One job a protocol; its key also holds the digest of every crop the table names."""
    made = []
    for protocol in PROTOCOLS:
        item = TrainJob(
            protocol, oversampled / f"{protocol}.jsonl", faces, params, child_seed(seed, protocol)
        )
        clips = sorted(clips_of(read_samples(item.table)))
        how = {
            "table": file_digest(item.table),
            "crops": [file_digest(faces / f"{clip_id}.mp4") for clip_id in clips],
            "params": params.model_dump(),
            "seed": item.seed,
            "code": code_digest(__name__),
        }
        made.append(Job(digest(how), protocol, item))
    return made


def work(jobs: Sequence[Job], store: Store) -> None:
    """Train each protocol of the chunk in a process of its own; its progress goes to stdout."""
    for job in jobs:
        with store.making(job.key) as folder:
            _run(job.item, folder, store.unfinished(job.key) / "state.pt")
        store.log("trained", name=job.name, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, out: Path) -> None:
    """Fill `out` with <protocol>.safetensors and <protocol>.json."""
    with writing_folder(out) as part:
        for job in jobs:
            for file in sorted(store.path(job.key).iterdir()):
                (part / file.name).write_bytes(file.read_bytes())


def read_samples(table: Path) -> list[Sample]:
    """The samples of a split's or an oversampled table."""
    return [Sample.parse(row) for row in read_jsonl(table)]


def train(
    protocol: Protocol,
    samples: Sequence[Sample],
    faces: Path,
    params: TrainParams,
    seed: int,
    out: Path,
    state: Path | None = None,
) -> Classifier:
    """Train on the side `train` of `samples`; write `out`/<protocol>.safetensors and .json.

    `faces` holds the crops <clip_id>.mp4, `state` what a killed training goes on from (`fit`). Same
    arguments, same bytes, on one kind of processor. Raises StageError when the training side is
    too small to hold a validation part.
    """
    fitted, held = carve(protocol, samples, params.validation_fraction, child_seed(seed, "carve"))
    crops = load_crops(faces, clips_of(fitted + held))
    print(f"train {protocol}: {_arithmetic(params)}", flush=True)
    if state is not None and state.is_file():
        print(f"train {protocol}: goes on where a killed run was", flush=True)
    classifier, curve = train_network(
        "convlstm", fitted, held, crops, params, child_seed(seed, "fit"),
        lambda row: print(_line(protocol, row, params.epochs), flush=True), state,
        hidden=params.hidden,
    )  # fmt: skip
    classifier.save(out / f"{protocol}.safetensors")
    record = _record(protocol, fitted, held, classifier.labels, params, curve)
    write_json(out / f"{protocol}.json", record | {"temperature": classifier.temperature})
    return classifier


def train_network(
    name: str,
    fitted: Sequence[Sample],
    held: Sequence[Sample],
    crops: Crops,
    params: TrainParams,
    seed: int,
    report: Callable[[Epoch], None],
    state: Path | None = None,
    **sizes: Any,
) -> tuple[Classifier, list[Epoch]]:
    """A network of `models.MODELS` fitted on one part of a training side, and its curve.

    `held`, the other part, chooses the epoch and the temperature. `sizes` are fields of the
    network's configuration beside those that the data and `params` decide.
    """
    labels = tuple(sorted({sample.label for sample in fitted}))
    train_part, validation = (_part(side, crops, labels) for side in (fitted, held))
    with repeatable(seed) as generator:
        network = build(
            name, classes=len(labels), size=train_part.windows.shape[-1],
            dropout=params.dropout, **sizes,
        )  # fmt: skip
        curve = fit(
            network, train_part, validation, mirror_table(labels), params, generator, report, state
        )
    raw = Classifier(name, network, labels, train_part.windows.shape[1])
    temperature = fit_temperature(raw.logits(validation.windows), validation.targets)
    return replace(raw, temperature=temperature), curve


def carve(
    protocol: Protocol, samples: Sequence[Sample], fraction: float, seed: int
) -> tuple[list[Sample], list[Sample]]:
    """The training side in two: to fit on (with copies) and to choose the epoch by (without).

    `clean` keeps whole groups together, `published` draws windows, as each split does. Whatever
    is chosen leaves the first part with all its copies, and with all blends it is the partner of.
    """
    side = [sample for sample in samples if sample.side == "train"]
    unit = {s.sample_id: s.group if protocol == "clean" else s.origin or s.sample_id for s in side}
    units = sorted(set(unit.values()))
    count = max(1, round(fraction * len(units)))
    if len(units) <= count:
        raise StageError(
            f"the training side of {protocol} holds {len(units)} "
            f"{'groups of people' if protocol == 'clean' else 'windows'}, too few to validate on"
        )
    order = np.random.default_rng(seed).permutation(len(units))
    chosen = {units[index] for index in order[:count]}
    fitted = [
        s for s in side
        if unit[s.sample_id] not in chosen
        and not (s.partner and unit[s.partner.sample_id] in chosen)
    ]  # fmt: skip
    held = [s for s in side if unit[s.sample_id] in chosen and s.origin is None]
    return fitted, held


def _part(samples: Sequence[Sample], crops: Crops, labels: Sequence[str]) -> Part:
    index = {label: number for number, label in enumerate(labels)}
    known = [sample for sample in samples if sample.label in index]
    targets = np.array([index[sample.label] for sample in known], dtype=np.int64)
    return Part(cut_windows(known, crops), targets)


def _line(protocol: str, row: Epoch, epochs: int) -> str:
    return (
        f"train {protocol} {row.epoch}/{epochs}: loss {row.loss:.3f}, accuracy {row.accuracy:.3f}, "
        f"validation {row.validation_loss:.3f}, {row.validation_accuracy:.3f}"
    )


def _record(
    protocol: str,
    fitted: Sequence[Sample],
    held: Sequence[Sample],
    labels: Sequence[str],
    params: TrainParams,
    curve: list[Epoch],
) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "labels": list(labels),
        "params": params.model_dump(),
        "windows": {
            "originals": sum(sample.origin is None for sample in fitted),
            "copies": sum(sample.origin is not None for sample in fitted),
            "validation": len(held),
        },
        "validation_unit": "group" if protocol == "clean" else "window",
        "best_epoch": best_epoch(curve).epoch,
        "curve": rows(curve),
        "torch": version("torch"),
        "precision": _arithmetic(params),
    }


def _arithmetic(params: TrainParams) -> str:
    return models.precision()[1] if params.device == "cpu" else f"float32 on {params.device}"


def _run(item: TrainJob, out: Path, state: Path) -> None:
    request = {
        "protocol": item.protocol,
        "table": str(item.table.resolve()),
        "faces": str(item.faces.resolve()),
        "params": item.params.model_dump(),
        "seed": item.seed,
        "out": str(out.resolve()),
        "state": str(state.resolve()),
    }
    # Two trainings share the cores, one thread each; waiting threads must not spin. The last is
    # cuBLAS' own condition for sums in one order.
    environment = os.environ | {
        "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.training.train"], env=environment, text=True,
        cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as worker:  # fmt: skip
        try:
            _, said = worker.communicate(json.dumps(request))
        finally:
            worker.kill()
    if worker.returncode:
        last = (said.strip().splitlines() or ["it ended without a word (killed for memory?)"])[-1]
        raise StageError(f"training {item.protocol} failed: {last}")


def main() -> int:
    """Train what the request on stdin says."""
    request = json.load(sys.stdin)
    try:
        train(
            request["protocol"], read_samples(Path(request["table"])), Path(request["faces"]),
            TrainParams(**request["params"]), request["seed"], Path(request["out"]),
            Path(request["state"]),
        )  # fmt: skip
    except PallorError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
