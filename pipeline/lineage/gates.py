"""Gates: what must hold of committed figures, whoever made them and on whatever machine.

They read what is in git alone, so that they stand in CI, in a fresh clone, and before a release.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

from pipeline.evaluation.results import Results
from pipeline.files import read_json
from pipeline.lineage.checks import Finding
from pipeline.lineage.printed import check_printed
from pipeline.report.record import in_range, read_record
from pipeline.report.summary import fitting
from pipeline.report.templates import counted, interval, percent
from pipeline.study import Protocol, Study
from pipeline.workspace import Workspace

LUCK = 0.01  # one honest record in a hundred fails a gate of chance, all its probes together
WIDTH = 2 * NormalDist().inv_cdf(0.975)  # of a 95 % interval, in standard errors
# What may not stand on both sides, by what a protocol holds together.
SHARED = {"group": ("groups", "person", "identity", "portrait", "driving_clip", "clips"),
          "person": ("person", "clips")}  # fmt: skip
HASH = 0.06  # share of differing bits that known twins stay below, in a study without a leaky draw
SIDES = ("train", "test")
SAME = 0.0  # of one window a clip: strangers of 64 pixels differ in as little as 2.3 % (study mood)


def gates(studies: Mapping[str, tuple[Workspace, Study]], pages: list[Path]) -> Iterator[Finding]:
    """Everything that does not hold; `studies` are those whose metrics are committed."""
    for workspace, study in studies.values():
        with fitting(workspace):
            results = Results.read(workspace.evaluation)
            yield from check_range(workspace, study, results)
            yield from check_probes(workspace, study, results)
            yield from check_sides(workspace, study)
    for page in pages:
        yield from check_printed(page, studies)


def check_range(workspace: Workspace, study: Study, results: Results) -> Iterator[Finding]:
    """The clean figure where 99 % of single runs fall; the sets' coverage no less than promised."""
    record, row = read_record(workspace), results.first(study, leaky=False)
    if record is None or row is None:
        return
    value, run, doubt = row["by_clip"]["accuracy"], record["single_run"], record["doubt"]
    where = str(workspace.evaluation)
    if not in_range(record, value):
        ends = interval([run["low"], run["high"]])
        yield Finding("out of range", where, f"clean accuracy {percent(value)}, must be in {ends}")
    if doubt["coverage_ci95"][1] < 1 - doubt["alpha"]:
        said = f"sets that promise {percent(1 - doubt['alpha'])} cover"
        yield Finding("out of range", str(workspace.folds), f"{said} {percent(doubt['coverage'])}")


def check_probes(workspace: Workspace, study: Study, results: Results) -> Iterator[Finding]:
    """Probes of clean protocols that tell the class without seeing it, beyond what luck does."""
    clean = [name for name, rules in study.protocols.items() if not rules.leaky]
    rows = [
        (task, protocol, name, row)
        for task in study.tasks for protocol in clean
        for name, row in results.probes(task, protocol).items()
    ]  # fmt: skip
    for task, protocol, name, row in rows:
        chance = row["chance"]
        if study.protocols[protocol].folds:  # all are tested; one drawn side's shares are luck
            chance = max(chance, _largest(results, task, protocol))
        if _above(row, chance) > NormalDist().inv_cdf(1 - LUCK / len(rows)):
            yield Finding(
                "probe above chance", str(workspace.evaluation),
                f"{task}, {protocol}: {name} tells {percent(row['accuracy'])} "
                f"({interval(row['accuracy_ci95'])}), chance is {percent(chance)}",
            )  # fmt: skip


def check_sides(workspace: Workspace, study: Study) -> Iterator[Finding]:
    """Draws of clean protocols in which somebody, or their near twin, stands on both sides."""
    proof = read_json(workspace.proof)
    limit = _near(proof, study)
    for name, draw in study.draws():
        rules = study.protocols[name]
        if not rules.leaky:
            where = f"{workspace.proof}, {draw}"
            yield from (Finding("both sides", where, what) for what in _met(proof[draw], rules))
            nearest = proof[draw]["nearest"]["smallest"]
            if nearest <= limit:
                yield Finding(
                    "near twin", where,
                    f"a test window differs from a training one in {percent(nearest)} % of its "
                    f"hash, as one picture twice does ({percent(limit)} % and less)",
                )  # fmt: skip


def _largest(results: Results, task: str, protocol: str) -> float:
    """The share of the largest class on the test side: what its name alone, always said, gets."""
    rows = [row for row in results.rows if (row["task"], row["protocol"]) == (task, protocol)]
    shares = [0.0]
    for classes in (results.headline(row)["per_class"] for row in rows):
        support = [row["support"] for row in classes.values()]
        shares.append(max(support) / sum(support))
    return max(shares)


def _above(row: Mapping[str, Any], chance: float) -> float:
    """How many standard errors a probe lies above chance."""
    low, high = row["accuracy_ci95"]
    return float((row["accuracy"] - chance) / max((high - low) / WIDTH, 1e-6))


def _near(proof: Mapping[str, Any], study: Study) -> float:
    """The share of differing bits up to which two windows show one picture.

    Where every clip is one window, a hash of few bits says little of it, and only the same hash is
    a twin; the likeness of faces (`pipeline.splits.twins`) is held all the same. Else a leaky draw
    that shares frames says it: half of its test windows are no farther.
    """
    drawn = [(draw, study.protocols[name]) for name, draw in study.draws() if draw in proof]
    clean = [proof[draw] for draw, rules in drawn if not rules.leaky]
    if all(row["samples"][side] == row["clips"][side] for row in clean for side in SIDES):
        return SAME
    leaky = [proof[draw] for draw, rules in drawn if rules.leaky]
    return min((row["nearest"]["median"] for row in leaky if row["shared_frames"]), default=HASH)


def _met(proof: Mapping[str, Any], rules: Protocol) -> Iterator[str]:
    for kind in SHARED[rules.together]:
        if shared := proof[kind]["shared"]:
            yield f"{shared} of {kind} stand on train and test"
    if frames := proof["shared_frames"]:
        too = "is a training frame" if frames == 1 else "are training frames"
        yield f"{counted(frames, 'test frame')} {too} too"
    if twins := proof["faces"]["twins"]:
        pair = f"{proof['faces'].get('test')} and {proof['faces'].get('train')}"
        stand = f"{counted(twins, 'face')} {'is' if twins == 1 else 'are'} on both sides"
        yield f"{stand} under two names, such as {pair}"
