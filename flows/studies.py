"""The studies of a workspace: what DVC has to know of them, and how each one stands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import StudyError
from pipeline.files import write_json, writing
from pipeline.lineage.lock import read_lock
from pipeline.naming import nearest
from pipeline.params import Params, load_params
from pipeline.settings import settings
from pipeline.stage import STAGES, name_of, study_of
from pipeline.study import Study
from pipeline.study_checks import known_studies, open_study
from pipeline.workspace import Workspace

STUDIES = Path("studies/studies.yaml")
HEAD = "# Written by `pallor run` from the studies there are and the paths that they name.\n"
LAST = "report"  # the stage that a whole study ends with
TOLD = ("code", "settings")  # stages that only tell DVC what the others depend on


@dataclass(frozen=True)
class Standing:
    """How a study stands: what is made of it, how many clips it plans, what it costs anew."""

    name: str
    title: str
    state: str
    clips: int
    cost: str


def chosen(name: str, one: bool = False) -> list[str]:
    """The studies that `--study` names: `all`, unless it must be `one`, or a study's name.

    Raises StudyError when there is no such study.
    """
    known = known_studies()
    if name == "all" and not one:
        return known
    if name not in known:
        raise StudyError(f"there is no study '{name}'; {nearest(name, known)}")
    return [name]


def opened(name: str) -> tuple[Workspace, Study, Params]:
    """A study's paths, the study, and the parameters as they are in it."""
    workspace = Workspace(name)
    study = open_study(workspace)
    return workspace, study, load_params(workspace.params, study.params)


def model_file(
    name: str, task: str | None = None, model: str | None = None, protocol: str | None = None
) -> Path:
    """A trained model of a study; by default of its first task, by its first model, without a leak.

    Raises StudyError for a name that the study lacks. Of several draws it is the first.
    """
    workspace, study, _ = opened(name)
    clean = [key for key, rules in study.protocols.items() if not rules.leaky]
    asked = _known("task", task or next(iter(study.tasks)), study.tasks)
    able = [key for key, what in study.models.items() if what.tasks is None or asked in what.tasks]
    rules = _known("protocol", protocol or (clean or list(study.protocols))[0], study.protocols)
    draw = study.protocols[rules].draws(rules)[0]
    return workspace.model(asked, _known("model", model or able[0], able), draw)


def _known(kind: str, name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise StudyError(f"the study has no {kind} '{name}' here; {nearest(name, names)}")
    return name


def tell_dvc(names: Sequence[str]) -> None:
    """Write what DVC compares: the studies' paths, their settings, and the code of the stages.

    Every study of `names` is checked before anything is written; of the others only the paths are
    read, and one that cannot be read keeps those that it had.
    """
    from flows.code import write_code

    mine = {name: opened(name) for name in names}
    paths = _known_paths() | {name: paths_of(params) for name, (_, _, params) in mine.items()}
    _write(STUDIES, HEAD + yaml.safe_dump({"studies": dict(sorted(paths.items()))}))
    for workspace, study, params in mine.values():
        write_json(workspace.settings, settings(study, params))
    write_code()


def stale(targets: Sequence[str]) -> set[str]:
    """The stages that DVC has to run for these targets, by key; `tell_dvc` comes before.

    Stages that only tell are locked as they are: a changed comment ends here.
    """
    from flows.repro import commit, status  # brings DVC, which most commands do not need

    found = status(targets)
    told = {key for key in found if name_of(key) in TOLD}
    if told and told == set(found):
        commit(sorted(told))
    return set(found) - told


def made() -> list[str]:
    """The studies of which DVC has locked a stage."""
    lock = Workspace().lock
    studies = {study_of(key) for key in read_lock(lock)} if lock.is_file() else set()
    return [name for name in known_studies() if name in studies]


def made_here() -> list[str]:
    """Those of `made` of which this clone has more than git brings."""
    from pipeline.lineage.elsewhere import elsewhere

    done = made()
    away = elsewhere(Path.cwd(), read_lock(Workspace().lock)) if done else []
    return [name for name in done if name not in away]


def overview(cores: int) -> Iterator[Standing]:
    """Every study of the workspace, in the order of their names; nothing is written."""
    from flows.untold import to_run
    from pipeline.report.templates import counted  # brings jinja2

    names, known, done = known_studies(), made(), made_here()
    left = to_run(done)
    for name in names:
        _, study, params = opened(name)
        mine = [name_of(key) for key in left if study_of(key) in (name, None)]
        state = f"{counted(len(mine), 'stage')} to run" if mine else "up to date"
        if name not in done:
            state = "not made here" if name in known else "not made"
        cost = _cost(study, params, cores)
        yield Standing(name, study.title, state, study.planned_clips, cost)


def _cost(study: Study, params: Params, cores: int) -> str:
    from pipeline.corpus.cost import estimate
    from pipeline.corpus.plan import make_plan

    rows = make_plan(study, params, Path(params.portraits.source) / "register.csv")
    minutes = sum(estimate(rows, study, params).wall(cores).values()) / 60
    return f"~{minutes:.0f} min"


def _known_paths() -> dict[str, Any]:
    before = yaml.safe_load(STUDIES.read_text()) if STUDIES.is_file() else {}
    rows = (before or {}).get("studies") or {}
    paths = {}
    for name in known_studies():
        try:
            paths[name] = paths_of(opened(name)[2])
        except StudyError:
            if name in rows:
                paths[name] = rows[name]
    return paths


def paths_of(params: Params) -> dict[str, dict[str, str]]:
    """The parameters that name a path, nested as DVC asks for them."""
    paths: dict[str, dict[str, str]] = {}
    values = params.model_dump()
    for stage in STAGES.values():
        for name in stage.sources:
            section, key = name.split(".")
            paths.setdefault(section, {})[key] = values[section][key]
    return paths


def _write(path: Path, text: str) -> None:
    with writing(path) as part:
        part.write_text(text)
