"""What an outside judge saw on a study's faces, where its file is at hand (docs/judge.md)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import StageError
from pipeline.files import read_json
from pipeline.report.templates import counted, interval, percent

if TYPE_CHECKING:
    from pipeline.workspace import Workspace

FILE = "outside_judge.json"  # below the study's metrics
Row = Mapping[str, Any]


def read_outside(workspace: "Workspace") -> Row | None:
    """What `benchmarks/outside_judge.py --json` wrote; None where nobody was asked.

    Raises StageError when the file is none of its.
    """
    path = workspace.metrics / FILE
    if not path.is_file():
        return None
    found = read_json(path)
    if not isinstance(found, dict) or not {"units", "unseen", "displays"} <= found.keys():
        raise StageError(
            f"{path} is no answer of the outside judge; remove it, or ask again: docs/judge.md"
        )
    return found


def outside_lines(found: Row | None) -> Iterator[str]:
    """The answers for a terminal; nothing where nobody was asked."""
    if found is None:
        return
    yield ""
    yield "an outside judge, which knows nothing of Pallor, on the rendered faces:"
    yield (
        f"  {'unit':<6}{'blendshape':<20}{'films':>6}{'rises':>7}{'rank r l':>10}{'r':>7}"
        f"{'AUC l':>8}{'r':>7}"
    )
    for unit, row in found["units"].items():
        sides = "".join(
            f"{told(value):>{width}}"
            for value, width in zip([*row["rho_sides"], *row["auc"]], (10, 7, 8, 7), strict=True)
        )
        shape = row["shape"].format("")
        yield f"  {unit:<6}{shape:<20}{row['films']:>6}{percent(row['rises']):>7}{sides}"
    yield f"  units that it cannot see: {', '.join(found['unseen'])}"
    if shown := found["displays"]:
        yield (
            f"  {shown['classes']} classes told from its outputs alone, "
            f"{counted(shown['n'], 'clip')} of {counted(shown['n_people'], 'person')} "
            f"it never met: {percent(shown['accuracy'])} ({interval(shown['accuracy_ci95'])})"
        )


def told(value: float | None) -> str:
    """A correlation or area with two digits, a dash for none."""
    return "-" if value is None else f"{value:.2f}"
