"""What the terminal says of a study: its counts, its figures, and what they do not mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import StageError
from pipeline.evaluation.results import Results, Row, claims_beside
from pipeline.files import read_json
from pipeline.report.outside import outside_lines, read_outside
from pipeline.report.protocols import drawn, overlap, proofs
from pipeline.report.record import record_lines, single_lines
from pipeline.report.templates import counted, interval, listed, percent, spoken, told

if TYPE_CHECKING:
    from pipeline.study import Study
    from pipeline.workspace import Workspace

COLUMNS = {"accuracy": "accuracy", "auc": "AUC"}
SPOKEN = {**COLUMNS, "f1": "F1", "weighted_f1": "weighted F1"}
CAVEAT = (
    "Every face is synthetic or a licensed picture set in motion. No figure says how a model does "
    "on patients; this is not a medical device."
)


@contextmanager
def fitting(workspace: "Workspace") -> Iterator[None]:
    """A metric of another shape, made by hand or by another version, as one sentence."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StageError(
            f"{workspace.metrics} does not hold the figures of a run ({type(error).__name__}: "
            f"{error}); `pallor run` makes them anew"
        ) from error


def terminal_summary(workspace: "Workspace", study: "Study") -> str:
    """The counts and every figure of a study in plain English; shares are per cent.

    Read from counts.json, evaluation.json and split_proof.json of its metrics; StageError where
    they are missing or of another shape.
    """
    with fitting(workspace):
        return "\n".join(_lines(workspace, study))


def _lines(workspace: "Workspace", study: "Study") -> list[str]:
    counts, results = read_json(workspace.counts), Results.read(workspace.evaluation)
    sides = proofs(study, read_json(workspace.proof))
    lines = [f"{study.title}: {study.question}", _counts(counts)]
    if study.folds:
        lines += ["", *record_lines(workspace), *single_lines(workspace, study, results)]
    for name, protocol in study.protocols.items():
        leak = " (leaky)" if protocol.leaky else ""
        lines += ["", f"{name}{leak}: {drawn(protocol)}; {overlap(protocol, sides[name])}"]
        rows = [row for row in results.rows if row["protocol"] == name]
        lines += _table(rows, results, study)
        lines += [_probes(task, results.probes(task, name)) for task in study.tasks]
    return [*lines, *_strong(results), *outside_lines(read_outside(workspace)), "", CAVEAT]


def report_object(workspace: "Workspace", study: "Study") -> dict[str, Any]:
    """What `pallor report --json` prints: `study`, `counts` and the rows of `Results.flat`."""
    with fitting(workspace):
        found = Results.read(workspace.evaluation)
        results = found.flat(study)
    strong = {"strength": dict(found.strength)} if found.strength else {}
    return {
        "study": study.name,
        "counts": read_json(workspace.counts),
        "results": results,
        **strong,
    }


def _counts(counts: Mapping[str, Any]) -> str:
    reasons = listed({spoken(name): n for name, n in counts["quarantine_reasons"].items()})
    return (
        f"{counted(counts['clips'], 'clip')}: {counted(counts['avatar_clips'], 'avatar')}, "
        f"{counts['transferred_clips']} transferred; {counts['kept']} kept, "
        f"{counts['quarantined']} quarantined" + (f" ({reasons})" if reasons else "")
    )


def _table(rows: list[Row], results: Results, study: "Study") -> Iterator[str]:
    width = max(len(f"{row['task']} {row['model']}") for row in rows) + 2
    heads = "".join(f"{head:>10}{'95 % interval':>18}" for head in COLUMNS.values())
    yield f"  {'task, model':<{width}}{'n':>13}{heads}"
    for row in rows:
        figures, name = results.headline(row), f"{row['task']} {row['model']}"
        shares = "".join(
            f"{percent(figures[key]):>10}{interval(figures.get(f'{key}_ci95')):>18}"
            for key in COLUMNS
        )
        yield f"  {name:<{width}}{counted(figures['n_test'], row['unit']):>13}{shares}"
        for claim in claims_beside(study, row):
            yield _published(claim.figures, figures)
        yield from _asked(row)


def _published(claimed: Mapping[str, float], figures: Row) -> str:
    """What a paper claims, and ours of those figures that the table has no column for."""
    said = ", ".join(f"{SPOKEN.get(key, key)} {told(value)}" for key, value in claimed.items())
    ours = ", ".join(
        f"{SPOKEN.get(key, key)} {percent(figures[key])}"
        for key in claimed
        if key not in COLUMNS and figures.get(key) is not None
    )
    return f"    as published: {said}" + (f"; and ours: {ours}" if ours else "")


def _asked(row: Row) -> Iterator[str]:
    """What the row tells beyond its figures, in a line each."""
    if limit := row.get("threshold"):
        yield f"    positive from {limit['value']:.3f}, chosen on {limit['from']}"
    if bins := row.get("dose", {}).get("bins"):
        curve = ", ".join(f"{part['dose']:.2f}: {percent(part['auc'])}" for part in bins)
        yield f"    AUC by {row['dose']['of']}: {curve}"
    for value, found in row.get("errors_by", {}).get("angle", {}).items():
        yield (
            f"    seen {value}: accuracy {percent(found['accuracy'])} "
            f"({interval(found['accuracy_ci95'])}) of {found['n']}"
        )
    yield from missed_lines(row)
    for part, lost in row.get("hidden", {}).items():
        yield f"    without the {part}: accuracy {percent(lost['accuracy'])}"
    for label, found in row.get("asked_only", {}).items():
        shares = ", ".join(f"{name} {percent(share)}" for name, share in found["called"].items())
        unknown = f"; {percent(found['unknown'])} unknown" if "unknown" in found else ""
        clips = counted(found["n"], "clip")
        yield f"    {clips} of {label}, never learnt, called {shares}{unknown}"


def missed_lines(row: Row) -> Iterator[str]:
    """How often no face was found, and what is right when that counts as wrong."""
    if not (missed := row.get("missed")):
        return
    wrong = ""
    if "accuracy" in missed:
        shares = f"{percent(missed['accuracy'])} ({interval(missed['accuracy_ci95'])})"
        wrong = f"; as errors they leave accuracy {shares}"
    clips = f"{missed['n_missed']} of {counted(missed['n'], 'clip')}"
    yield f"    no face found in {clips}{wrong}"
    for value, found in missed.get("errors_by", {}).get("angle", {}).items():
        yield (
            f"    seen {value}: face found in {percent(found['found'])} of {found['n']}, "
            f"accuracy {percent(found['accuracy'])} ({interval(found['accuracy_ci95'])})"
        )


def _strong(results: Results) -> Iterator[str]:
    for task, found in results.strength.items():
        yield ""
        yield f"expression strength, measured on frames ({task}):"
        for emotion, row in found["emotions"].items():
            yield (
                f"  {emotion:<12}{row['positive']:.3f} against {row['negative']:.3f}, "
                f"effect {row['effect']:+.2f}, corrected p {row['p_holm']:.2g}"
            )


def _probes(task: str, probes: Mapping[str, Row]) -> str:
    names = {"identity": "who is seen"}
    shares = [
        f"{names.get(name, spoken(name))} {percent(row['accuracy'])}"
        for name, row in probes.items()
    ]
    chance = percent(next(iter(probes.values()))["chance"])
    return (
        f"  what can be told of '{task}' without seeing the expression "
        f"(chance {chance} %): {', '.join(shares)}"
    )
