"""What `dvc repro` prints, as stages and their outcomes.

DVC has no machine-readable progress; its headings have been the same sentences since DVC 1.0, and
tests/flows/test_dvc_output.py holds them against the pinned DVC.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["runs", "restored", "unchanged", "frozen"]

HEADINGS: dict[Outcome, re.Pattern[str]] = {
    "runs": re.compile(r"Running stage '(?P<stage>[^']+)':"),
    "restored": re.compile(r"Stage '(?P<stage>[^']+)' is cached - skipping run"),
    "unchanged": re.compile(r"Stage '(?P<stage>[^']+)' didn't change, skipping"),
    "frozen": re.compile(r"Verifying outputs in frozen stage: '(?P<stage>[^']+)'"),
}
CHATTER = re.compile(
    r"> |Updating lock file|Generating lock file|To track the changes|To enable auto staging"
    r"|\tgit add|\tdvc config|Use `dvc push`|Data and pipelines are up to date"
    r"|WARNING: stage: '[^']+' is frozen|\s*$"
    # Nothing was to be transferred: where something failed, the folder holds failed.jsonl.
    r"|WARNING: '[^']+/transferred' is empty\."
    r"|WARNING: Process '[^']+' with \(Pid \d+\), in RWLock-file"  # it tidies up after a kill
)
FAILURE = re.compile(r"ERROR: (failed to reproduce '(?P<stage>[^']+)')?")


@dataclass(frozen=True)
class Line:
    """One line of text under the stage it belongs to ("" before the first)."""

    stage: str
    outcome: Outcome
    text: str  # "" for the heading itself
    failed: bool = False


def read_lines(lines: Iterable[str]) -> Iterator[Line]:
    """The lines that matter, each with its stage; DVC's own advice is left out."""
    stage = ""
    outcome: Outcome = "runs"
    for text in lines:
        text = text.rstrip("\n")
        heading = _heading(text)
        if heading:
            stage, outcome = heading
            yield Line(stage, outcome, "")
        elif failure := FAILURE.match(text):  # a stage can fail before it has a heading
            stage = failure["stage"] or stage
            yield Line(stage, outcome, text, failed=True)
        elif not CHATTER.match(text):
            yield Line(stage, outcome, text)


def _heading(text: str) -> tuple[str, Outcome] | None:
    for outcome, pattern in HEADINGS.items():
        if match := pattern.match(text):
            return match["stage"], outcome
    return None
