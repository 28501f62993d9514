"""A made corpus as records: every table of a study, read and checked against its format."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.corpus.planned import Plan, read_plan
from pipeline.evaluation.results import Results
from pipeline.files import read_json, read_jsonl
from pipeline.lineage.lock import Stage, listing, objects, outs
from pipeline.records import FaceTrack, Sample
from pipeline.splits.tables import read_samples, read_tracks
from pipeline.study import Study
from pipeline.workspace import MAIN, Workspace

# Relative to the root, as git and DVC name them.
LOCK, PARAMS, TOMBSTONES = Workspace().lock, Workspace().params, Workspace().tombstones
PLANS = ("data/plan.jsonl", ":(glob)data/*/plan.jsonl")  # before there were studies, and since


@dataclass(frozen=True)
class Place:
    """A clone to look into: its `root`, its `home` (work store), DVC's `cache` folder,
    and the remotes that are plain folders, by name.

    `unreached` are the addresses of the other remotes; `shared` says that the cache is meant for
    several people wherever it lies, `unversioned` that the clone is meant to be without git.
    """

    root: Path
    home: Path
    cache: Path
    remotes: dict[str, Path]
    unreached: dict[str, str] = field(default_factory=dict)
    shared: bool = False
    unversioned: bool = False

    @property
    def stores(self) -> list[Path]:
        """Where objects may lie, nearest first."""
        return [self.cache, *self.remotes.values()]

    @property
    def named(self) -> dict[str, Path]:
        """The stores by the names that a removal counts under."""
        return {"cache": self.cache, **{f"remote:{n}": path for n, path in self.remotes.items()}}

    def files(self, study: str) -> Workspace:
        """The paths of a study's files in this clone."""
        return Workspace(study, self.root)

    def owns(self, folder: Path) -> bool:
        """Does a path lie inside the clone? Outside, others may keep things in a folder."""
        path = folder.resolve()
        lent = self.shared and path.is_relative_to(self.cache.resolve())
        return path.is_relative_to(self.root.resolve()) and not lent

    def objects(self, name: str, lock: dict[str, Stage]) -> Iterator[tuple[str, Path]]:
        """The objects of a store that are this clone's: all of its own cache, elsewhere those that
        the lock lists."""
        store = self.named[name]
        if name == "cache" and self.owns(store):
            yield from objects(store)
            return
        made = set(outs(lock).values())
        made |= {md5 for folder in made for md5 in (listing(folder, self.stores) or {}).values()}
        yield from ((md5, path) for md5, path in objects(store) if md5 in made)


def layouts(path: Path, study: str) -> list[Path]:
    """Where a file of a study lies, and where the main study's lay before there were others."""
    before = Path(*(part for part in path.parts if part != study))
    return [path, before] if study == MAIN else [path]


@dataclass(frozen=True)
class Corpus:
    """The tables of one study; rows in the order of their files.

    `splits` are by draw, `oversampled` by (task, draw): the rows of the draw, then copies.
    `training` (a record each) and `predictions` (a row a test sample) are by (task, model, draw).
    """

    plan: Plan
    tracks: list[FaceTrack]
    quarantine: list[dict[str, Any]]
    detector: dict[str, Any]
    splits: dict[str, list[Sample]]
    oversampled: dict[tuple[str, str], list[Sample]]
    training: dict[tuple[str, str, str], dict[str, Any]]
    predictions: dict[tuple[str, str, str], list[dict[str, Any]]]
    evaluation: Results
    balance: dict[str, Any]
    proof: dict[str, Any]


def read_corpus(paths: Workspace, study: Study) -> Corpus:
    """Every table of a study; StageError names the first that is missing or does not fit."""
    draws = [draw for _, draw in study.draws()]
    balanced = [(task, draw) for task in study.tasks for draw in draws]
    trained = [
        (task, model, draw)
        for task, model, protocol in study.trials()
        for draw in study.protocols[protocol].draws(protocol)
    ]
    return Corpus(
        plan=read_plan(paths.plan),
        tracks=read_tracks(paths.faces),
        quarantine=read_jsonl(paths.faces / "quarantine.jsonl"),
        detector=read_json(paths.faces / "detector.json"),
        splits={draw: read_samples(paths.samples(draw)) for draw in draws},
        oversampled={key: read_samples(paths.training_samples(*key)) for key in balanced},
        training={key: read_json(paths.model(*key).with_suffix(".json")) for key in trained},
        predictions={key: read_jsonl(paths.answers(*key)) for key in trained},
        evaluation=Results.read(paths.evaluation),
        balance=read_json(paths.balance),
        proof=read_json(paths.proof),
    )
