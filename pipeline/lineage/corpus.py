"""A made corpus as records: every table of a workspace, read and checked against its format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpus.planned import Plan, read_plan
from pipeline.files import read_json, read_jsonl
from pipeline.records import PROTOCOLS, FaceTrack, Protocol, Sample

# Where a workspace keeps its files, relative to its root; flows.workspace has the same.
LOCK = Path("dvc.lock")
PARAMS = Path("params.yaml")
PLAN = Path("data/plan.jsonl")
CLIPS = Path("data/clips")
PORTRAITS = Path("data/portraits")
TRANSFERRED = Path("data/transferred")
FACES = Path("data/faces")
SPLIT = Path("data/split")
OVERSAMPLED = Path("data/oversampled")
MODELS = Path("data/models")
PREDICTIONS = Path("data/predictions")
METRICS = Path("metrics")
TOMBSTONES = Path("data/tombstones.jsonl")


@dataclass(frozen=True)
class Workspace:
    """A clone to look into: its `root`, its `home` (work store), DVC's `cache` folder,
    and the remotes that are plain folders, by name."""

    root: Path
    home: Path
    cache: Path
    remotes: dict[str, Path]

    @property
    def stores(self) -> list[Path]:
        """Where objects may lie, nearest first."""
        return [self.cache, *self.remotes.values()]


@dataclass(frozen=True)
class Corpus:
    """The tables of one workspace; rows in the order of their files.

    `oversampled` begins with the rows of `splits` and goes on with copies; `training` holds one
    training record a protocol; `predictions` one row a test window (docs/formats/evaluation.md).
    """

    plan: Plan
    tracks: list[FaceTrack]
    quarantine: list[dict[str, Any]]
    detector: dict[str, Any]
    splits: dict[Protocol, list[Sample]]
    oversampled: dict[Protocol, list[Sample]]
    training: dict[Protocol, dict[str, Any]]
    predictions: dict[Protocol, list[dict[str, Any]]]
    evaluation: dict[str, Any]
    balance: dict[str, Any]
    proof: dict[str, Any]


def read_corpus(root: Path = Path(".")) -> Corpus:
    """Every table below `root`; StageError names the first that is missing or does not fit."""
    return Corpus(
        plan=read_plan(root / PLAN),
        tracks=[FaceTrack.parse(row) for row in read_jsonl(root / FACES / "faces.jsonl")],
        quarantine=read_jsonl(root / FACES / "quarantine.jsonl"),
        detector=read_json(root / FACES / "detector.json"),
        splits=_samples(root / SPLIT),
        oversampled=_samples(root / OVERSAMPLED),
        training={p: read_json(root / MODELS / f"{p}.json") for p in PROTOCOLS},
        predictions={p: read_jsonl(root / PREDICTIONS / f"{p}.jsonl") for p in PROTOCOLS},
        evaluation=read_json(root / METRICS / "evaluation.json"),
        balance=read_json(root / METRICS / "balance.json"),
        proof=read_json(root / METRICS / "split_proof.json"),
    )


def _samples(folder: Path) -> dict[Protocol, list[Sample]]:
    return {
        protocol: [Sample.parse(row) for row in read_jsonl(folder / f"{protocol}.jsonl")]
        for protocol in PROTOCOLS
    }
