"""Which stages a run would make, asked without telling DVC anything: no file is written.

`flows.studies.tell_dvc` writes what DVC compares: settings, digests of code and paths. Whoever only
asks must leave them as they are, because `dvc.lock` vouches for them. So DVC is asked for inputs
and outputs alone, and what it would be told is held against `dvc.lock` here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.studies import LAST, STUDIES, TOLD, opened, paths_of
from pipeline.closure import closure
from pipeline.lineage.lock import CODE_FILES, Stage, read_lock
from pipeline.lineage.stages import stages_now, value_of
from pipeline.settings import settings
from pipeline.stage import STAGES, name_of
from pipeline.workspace import Workspace

INPUTS = "changed deps"  # DVC's word; it counts parameters among them


def to_run(names: Sequence[str]) -> set[str]:
    """The stages, by key, that a run of these studies would make; they have some in `dvc.lock`."""
    if not names:
        return set()
    lock = read_lock(Workspace().lock)
    codes = {name: closure(stage.module, Path.cwd()).digest for name, stage in STAGES.items()}
    own = {key for name in names for key in _otherwise(name, lock, codes)}
    return own | set(_by_dvc(names))


def _otherwise(name: str, lock: Mapping[str, Stage], codes: Mapping[str, str]) -> Iterator[str]:
    """The stages of a study that were locked with other settings, code or paths, or never."""
    _, study, params = opened(name)
    values, paths = settings(study, params), paths_of(params)
    for stage in STAGES.values():
        if stage.frozen or stage.name in TOLD:
            continue
        locked = lock.get(stage.key(name))
        asked = {key: value_of(values, f"params.{key}") for key in stage.params}
        asked |= {f"study.{key}": value_of(values, f"study.{key}") for key in stage.study}
        sources = {value_of(paths, source) for source in stage.sources}
        as_locked = locked and (locked.params, locked.code) == (asked, codes[stage.name])
        if not locked or not as_locked or not sources <= locked.deps.keys():
            yield stage.key(name)


def _by_dvc(names: Iterable[str]) -> Iterator[str]:
    """The stages of which DVC finds another input, output or command than it locked."""
    from flows.repro import status  # brings DVC, which most commands do not need

    known = stages_now(Path.cwd())
    targets = [f"{LAST}@{name}" for name in names if f"{LAST}@{name}" in known]
    told = {str(path) for path in (STUDIES, *CODE_FILES)}
    told |= {str(Workspace(name).settings) for name in names}
    for key, changes in (status(targets) if targets else {}).items():
        if name_of(key) not in TOLD and any(_but(told, change) for change in _rows(changes)):
            yield key


def _rows(changes: Any) -> list[Any]:
    """What DVC says of one stage, as a list; a sentence when it did not answer."""
    return changes if isinstance(changes, list) else [changes]


def _but(told: set[str], change: Any) -> bool:
    """Is there a change in more than what `tell_dvc` writes?"""
    if not isinstance(change, dict) or list(change) != [INPUTS]:
        return True
    return not change[INPUTS].keys() <= told
