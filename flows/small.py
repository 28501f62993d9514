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
from pipeline.study import Study, parent_file, parse_study, study_values
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
    """The values of a study's file with those of its small.yaml on top, checked.

    A study without one that is like another is as small as that one is.
    """
    over = small_file(folder)
    if not over.is_file():
        raise StudyError(f"{over} is missing; it says what of the study is other at tiny size")
    values = merged(study_values(folder / "study.yaml"), yaml.safe_load(over.read_text()))
    for problem in problems(small_study(values, over)):
        raise StudyError(f"{over}: {problem}")
    assert isinstance(values, dict)
    return values


def small_file(folder: Path) -> Path:
    """The small.yaml of a study's folder, or else of the study that it is like."""
    over, file = folder / OVER, folder / "study.yaml"
    values = yaml.safe_load(file.read_text()) if file.is_file() else None
    if over.is_file() or not isinstance(values, dict) or "like" not in values:
        return over
    return parent_file(file, values["like"]).with_name(OVER)


def small_study(values: object, over: Path) -> Study:
    """The small study; StudyError names the file that does not fit."""
    return parse_study(values, str(over))
