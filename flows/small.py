"""`pallor run --study NAME --small`: a whole study at tiny size, in a workspace of its own.

What is small about it stands in `studies/NAME/small.yaml`, laid over the study's file, so that a
study comes with the proof that it goes through the line before days are spent on it.
"""

from pathlib import Path

import yaml

from flows.demo import copy_checkout, run_there
from flows.workspace import home
from pipeline.errors import StageError, StudyError
from pipeline.params import merged
from pipeline.study import Study, parse_study
from pipeline.study_checks import problems

OVER = "small.yaml"


def run_small(name: str) -> None:
    """Copy the checkout, make the study small there, run it and print its figures.

    Raises StudyError without its small.yaml or for one that does not fit, StageError when the run
    fails; the sentence of the stage is on stderr by then.
    """
    folder = Path("studies") / name
    values = small_values(folder)
    place = home() / "small" / name
    copy_checkout(place)
    (place / folder / "study.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    if run_there(place, "run", "--study", name):
        raise StageError(f"the small {name} did not finish; it lies in {place}")


def small_values(folder: Path) -> dict[str, object]:
    """The values of a study's file with those of its small.yaml on top, checked."""
    over = folder / OVER
    if not over.is_file():
        raise StudyError(f"{over} is missing; it says what of the study is other at tiny size")
    values = merged(*(yaml.safe_load(p.read_text()) for p in (folder / "study.yaml", over)))
    for problem in problems(small_study(values, over)):
        raise StudyError(f"{over}: {problem}")
    assert isinstance(values, dict)
    return values


def small_study(values: object, over: Path) -> Study:
    """The small study; StudyError names the file that does not fit."""
    return parse_study(values, str(over))
