"""Which studies of `dvc.lock` were made in another clone: git brought their figures, nothing else.

A clone that makes one study alone has the lock of all. What DVC keeps of the others is not lost
here; it never was here.
"""

from dataclasses import replace
from pathlib import Path

from pipeline.lineage.lock import Stage
from pipeline.stage import STAGES, name_of, place, study_of
from pipeline.workspace import Workspace


def elsewhere(root: Path, lock: dict[str, Stage]) -> list[str]:
    """The studies of which nothing that DVC keeps lies below `root`, sorted.

    Empty where no study has anything: then nothing tells a fresh clone from one that lost all.
    """
    kept = {key: _kept(root, key, stage) for key, stage in lock.items() if study_of(key)}
    locked = {study for key, paths in kept.items() if paths and (study := study_of(key))}
    here = {
        study
        for key, paths in kept.items()
        if (study := study_of(key)) and any((root / path).exists() for path in paths)
    }
    return sorted(locked - here) if here else []


def present(root: Path, lock: dict[str, Stage]) -> dict[str, Stage]:
    """The lock without what DVC keeps of studies that were made elsewhere."""
    away = elsewhere(root, lock)
    return {
        key: replace(stage, outs=_without(stage.outs, _kept(root, key, stage)))
        if study_of(key) in away
        else stage
        for key, stage in lock.items()
    }


def _kept(root: Path, key: str, stage: Stage) -> set[str]:
    """The outputs of a stage that DVC keeps and git does not."""
    known = STAGES.get(name_of(key))
    files = Workspace(study_of(key) or "", root)
    cached = {place(o.name, files) for o in (known.outputs if known else ()) if o.cached}
    return {path for path in stage.outs if root / path in cached}


def _without(outs: dict[str, str], gone: set[str]) -> dict[str, str]:
    return {path: md5 for path, md5 in outs.items() if path not in gone}
