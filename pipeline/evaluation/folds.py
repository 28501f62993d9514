"""The folds stage: the figure of record, every person tested once by models that never met them.

A split of one draw asks its question of a few people and of one seed. Folds ask it of all people,
and several seeds say how much of a figure is luck. One job is one fold learnt with one seed, so a
killed run goes on where it was; the first folds are learnt with the line's whole recipe too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.closure import code_digest
from pipeline.errors import StageError
from pipeline.evaluation.fold import Fold, Network
from pipeline.evaluation.record import Said, figures_of
from pipeline.files import child_seed, digest, file_digest, read_json, write_json
from pipeline.params import Params
from pipeline.splits.draws import draw_folds
from pipeline.splits.groups import group_clips
from pipeline.splits.oversample import classed
from pipeline.splits.split import cut, on_sides
from pipeline.splits.tables import read_tracks
from pipeline.splits.windows import alone, clips_of
from pipeline.store.store import Job, Store
from pipeline.store.torch_worker import delegate
from pipeline.study import Folds, Protocol, Study

if TYPE_CHECKING:
    from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Item:
    """A fold by number and seed, both from 0; `whole`: with the line's own recipe.

    `ask` is what the study's file asks of folds, `chance` (resamples, seed) draws its intervals.
    """

    number: int
    seed: int
    whole: bool
    fold: Fold
    ask: Folds
    chance: tuple[int, int]


def jobs(workspace: "Workspace", study: Study, params: Params) -> list[Job]:
    """One job a fold and seed, none where the study asks for no folds.

    Raises StageError when there are fewer groups of people than folds.
    """
    return [_job(item, workspace) for item in _items(workspace, study, params)]


def work(jobs: Sequence[Job], store: Store) -> None:
    """Learn each in a worker."""
    for job in jobs:
        with store.making(job.key) as folder:
            _run(job, str((folder / "said.json").resolve()))
        store.log("folds", name=job.name, key=job.key)


def assemble(jobs: Sequence[Job], store: Store, workspace: "Workspace") -> None:
    """Write folds.json of the study's metrics (docs/formats/folds.md)."""
    if not jobs:
        write_json(workspace.folds, {"models": {}})
        return
    said = [
        Said(job.item.number, job.item.seed, job.item.whole,
             read_json(store.path(job.key) / "said.json"))
        for job in jobs
    ]  # fmt: skip
    tracks = {track.clip_id: track for track in read_tracks(workspace.faces)}
    first: Item = jobs[0].item
    groups = group_clips(list(tracks.values()))
    own = first.fold.networks[0].name
    figures = figures_of(said, tracks, groups, own, first.chance)
    recipe = {**first.ask.model_dump(), "epochs": first.fold.train.epochs}
    write_json(workspace.folds, {"unit": "clip", "recipe": recipe, **figures})


def _items(workspace: "Workspace", study: Study, params: Params) -> Iterator[Item]:
    ask = study.folds
    if ask is None:
        return
    seed = child_seed(params.seed, "folds")
    chance = (params.evaluate.bootstrap, child_seed(seed, "bootstrap"))
    for number, fold in enumerate(_folds(workspace, study, params, ask)):
        for turn in range(ask.seeds):
            mine = replace(fold, seed=child_seed(seed, number, turn), plain=turn == 0)
            # The first network alone tells seeds' spread; two seeds say how the others stand.
            beside = mine.networks if turn < BESIDE else mine.networks[:1]
            yield Item(number, turn, False, replace(mine, networks=beside), ask, chance)
        if number < ask.whole:
            whole = replace(
                fold, seed=child_seed(seed, number, 0), networks=fold.networks[:1],
                train=params.train, stride=1,
            )  # fmt: skip
            yield Item(number, 0, True, whole, ask, chance)


BESIDE = 2  # seeds of the other networks: the tutorial's costs as much as all others together


def _folds(workspace: "Workspace", study: Study, params: Params, ask: Folds) -> Iterator[Fold]:
    """Every fold, still without its seed."""
    task, name, _ = study.trials()[0]
    model = study.models[name]
    kept = [track for track in read_tracks(workspace.faces) if track.trained]
    tracks = sorted(kept, key=lambda track: track.clip_id)
    windows = list(cut(tracks, study.input))
    rules = Protocol(unit="clip", together="group", leaky=False, folds=ask.folds)
    networks = [Network(name, study.network(name), dict(model.parameters))]
    networks += [Network(other, other, {}) for other in ask.networks]
    for sides in draw_folds(tracks, windows, rules, child_seed(params.seed, "folds", "draw")):
        table = classed(on_sides(tracks, windows, rules, sides), study.tasks[task])
        yield Fold(
            alone(table, model.reference), networks, str(workspace.faces.resolve()),
            str(workspace.clips.resolve()), study.input.channels, study.mirror_of(task),
            params.train.with_changes(model.train).with_changes(ask.train), params.oversample,
            ask.stride, seed=0, plain=False,
        )  # fmt: skip


def _job(item: Item, workspace: "Workspace") -> Job:
    fold = item.fold
    clips = sorted(clips_of(fold.table))
    places = {"faces": "", "clips": ""}  # where they lie decides nothing
    how = {
        "fold": {**fold.request(), **places},
        "crops": [file_digest(workspace.faces / f"{clip}.mp4") for clip in clips],
        "truth": [
            file_digest(path)
            for path in (workspace.clips / f"{clip}.npz" for clip in clips)
            if fold.plain and path.is_file()
        ],
        "code": code_digest(__name__),
    }
    name = f"fold {item.number + 1} seed {item.seed + 1}{' whole' if item.whole else ''}"
    return Job(digest(how), name, item)


def _run(job: Job, out: str) -> None:
    """The job in a worker whose one thread leaves the other cores to other folds."""
    try:
        delegate("pipeline.evaluation.fold", {"fold": job.item.fold.request(), "out": out})
    except StageError as error:
        raise StageError(f"{job.name} failed: {error}") from error
