"""Figures that a page prints against the files that hold them: README.md by default."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.results import Results
from pipeline.lineage.checks import Finding
from pipeline.report.record import read_record
from pipeline.report.summary import terminal_summary
from pipeline.report.templates import counted, interval, percent

if TYPE_CHECKING:
    from pipeline.study import Study
    from pipeline.workspace import Workspace

KIND = "printed figure"
_FENCED = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHARE = re.compile(r"(\d+(?:\.\d+)?) % of (?:its )?(\d+ (?:windows?|clips?|people))")
_WITH_ENDS = re.compile(
    r"(\d+(?:\.\d+)?) % of (\d+ (?:windows?|clips?|people)) \((\d[\d.]* to \d[\d.]*)\)"
)


def check_printed(
    page: Path, studies: "Mapping[str, tuple[Workspace, Study]]"
) -> Iterator[Finding]:
    """Each figure of a page that the metrics of no study hold; `studies` are those with metrics.

    What is looked at: fenced lines that a study's summary begins (`pallor report`), and sentences
    that say a share of a number of windows, clips or people, with their interval where it follows.
    """
    text = page.read_text(encoding="utf-8")
    told = {name: terminal_summary(*of).splitlines() for name, of in studies.items()}
    for block in _FENCED.findall(text):
        yield from _check_block(page.name, block, told)
    shares, ends = _known(studies)
    for line, row in enumerate(_FENCED.sub(_blank, text).splitlines(), start=1):
        where = f"{page.name} line {line}"
        for share, count in _SHARE.findall(row):
            if (share, count) not in shares:
                yield Finding(KIND, where, f"{share} % of {count} is no figure of the metrics")
        for found in _WITH_ENDS.findall(row):
            if found[:2] in shares and found not in ends:
                yield Finding(KIND, where, f"{found[2]} is not the interval of {found[0]} %")


def _check_block(name: str, block: str, told: Mapping[str, list[str]]) -> Iterator[Finding]:
    """A block that begins as a study's summary does must say no line that the summary does not."""
    lines = [line for line in block.splitlines() if line.strip()]
    for study, summary in told.items():
        if lines and lines[0] == summary[0]:
            for line in lines:
                if line not in summary:
                    yield Finding(KIND, name, f"`pallor report --study {study}` says no '{line}'")


def _known(
    studies: "Mapping[str, tuple[Workspace, Study]]",
) -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    """Every share that may be printed with its number of units, and with its interval too."""
    ends: set[tuple[str, str, str]] = set()
    for workspace, _ in studies.values():
        for row in Results.read(workspace.evaluation).rows:
            for unit in ("window", "clip", "person"):
                ends |= _figures(row.get(f"by_{unit}", {}), unit)
        record = read_record(workspace)
        for model in record["models"].values() if record else ():
            ends |= _figures(model, "clip")
    return {found[:2] for found in ends}, ends


def _figures(figures: Mapping[str, Any], unit: str) -> set[tuple[str, str, str]]:
    names = ("accuracy", "precision", "recall", "f1", "auc")
    return {
        (percent(figures[name]), counted(figures["n_test"], unit),
         interval(figures.get(f"{name}_ci95")))
        for name in names if figures.get(name) is not None
    }  # fmt: skip


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")  # lines keep their numbers
