"""What `pallor score` says of a user's own films: an evaluation's tables, and what they lack."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.templates import counted, few, interval, percent

Row = Mapping[str, Any]
NO_VALIDATION = (
    "This is no validation: who was filmed, how and by whom labelled is not known here, and the "
    "model was taught on synthetic faces. Not a medical device."
)
KINDS = {"looks": "looks (light, colour, sharpness, coarse picture)", "features": "features"}


def score_lines(found: Row, model: str) -> list[str]:
    """The figures and distances of `pipeline.evaluation.score.scored`; shares are per cent."""
    people = counted(found["subjects"], "subject")
    lines = [f"{counted(found['n'], 'clip')} of {people}, judged by {model}"]
    if "by_clip" in found:
        lines += [*_figures(found), *_groups(found["groups"])]
    if found.get("doubt"):
        lines += _doubt(found["doubt"])
    if found.get("none"):
        none = found["none"]
        lines.append(
            f"  of {counted(none['n'], 'clip')} labelled none, {percent(none['unknown'])} are "
            f"called unknown ({interval(none['unknown_ci95'])})"
        )
    return [*lines, *_far(found["distance"]), *_found_by(found), NO_VALIDATION]


def benchmark_lines(row: Row, guest: str, ours: str) -> list[str]:
    """What `pipeline.evaluation.benchmark.benchmark` found; shares are per cent."""
    protocol = f"{row['protocol']} (leaky)" if row["leaky"] else row["protocol"]
    lines = [
        f"{guest} over the test side of {protocol}, {row['task']}: it takes {row['takes']}",
        f"  {'model':<12}{'unit':<8}{'n':>6}{'accuracy':>10}{'95 % interval':>18}{'AUC':>8}",
    ]
    for name, figures in (("guest", row["guest"]), (ours, row["ours"])):
        for unit in ("window", "clip") if figures else ():
            one = figures[f"by_{unit}"]
            lines.append(
                f"  {name:<12}{unit:<8}{one['n_test']:>6}{percent(one['accuracy']):>10}"
                f"{interval(one['accuracy_ci95']):>18}{percent(one['auc']):>8}"
            )
    groups = {"label": "by_label", "kind": "by_kind", "age": "by_age", "sex": "by_sex",
              "skin tone": "by_skin_tone"}  # fmt: skip
    lines += _groups({name: row["guest"]["by_clip"][key] for name, key in groups.items()})
    if apart := row["difference"]:
        low, high = (100 * end for end in apart["accuracy_ci95"])
        lines.append(
            f"  guest less {ours}, over {counted(apart['n'], 'clip')}: "
            f"{100 * apart['accuracy']:+.1f} points ({low:+.1f} to {high:+.1f})"
        )
    return [
        *lines,
        "Whether the guest was taught on these clips, or on people of theirs, is not known here.",
    ]


def _figures(found: Row) -> Iterator[str]:
    yield f"  {'unit':<10}{'n':>6}{'accuracy':>10}{'95 % interval':>18}{'AUC':>8}{'':>4}interval"
    for unit in ("window", "clip"):
        row = found[f"by_{unit}"]
        yield (
            f"  {unit:<10}{row['n_test']:>6}{percent(row['accuracy']):>10}"
            f"{interval(row['accuracy_ci95']):>18}{percent(row['auc']):>8}"
            f"    {interval(row['auc_ci95'])}"
        )
    names = found["by_clip"]["confusion"]["labels"]
    yield f"  true class, and what it was called ({', '.join(names)})"
    for name, cells in zip(names, found["by_clip"]["confusion"]["matrix"], strict=True):
        if any(cells):
            yield f"    {name:<12}{''.join(f'{cell:>5}' for cell in cells)}"


def _groups(groups: Row) -> Iterator[str]:
    for group, values in groups.items():
        yield f"  by {group}"
        for value, row in values.items():
            yield (
                f"    {value:<16}{row['n']:>5}{percent(row['accuracy']):>10}"
                f"{interval(row['accuracy_ci95']):>18}{few(row['n'])}"
            )


def _doubt(doubt: Row) -> Iterator[str]:
    yield (
        f"  sets of classes that promise {percent(doubt['promise'])} on faces like the corpus' "
        f"hold the true one in {percent(doubt['coverage'])} here "
        f"({interval(doubt['coverage_ci95'])}); "
        f"{percent(doubt['unknown'])} are called unknown"
    )


def _found_by(found: Row) -> Iterator[str]:
    here, there = found["detector"], found["corpus_detector"]
    if there and here != there:
        yield (
            f"  faces were found by {here} here and by {there} in the corpus: crops, and so "
            "answers, differ by that alone"
        )


def _far(far: Row | None) -> Iterator[str]:
    if far is None:
        yield (
            "  how far these films look from the training corpus cannot be said: the corpus does "
            "not lie here (`dvc pull` or `pallor run` brings it)"
        )
        return
    if not far:
        yield "  how far these films look from the training corpus cannot be said: it is too small"
    for kind, row in far.items():
        yield (
            f"  {KINDS[kind]}: {row['times']:.1f} times as far from what was learnt as the corpus' "
            f"own strangers; {percent(row['far'])} lie beyond nearly all of them"
        )
