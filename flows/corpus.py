"""The whole line: one `dvc repro`, driven as a Prefect flow with a task run a stage.

DVC decides whether a stage runs; this flow shows what DVC does. `run_studies` is what `pallor
run`, `make corpus` and a deployment call.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from prefect import flow, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from avatars.assets import fetch
from flows.alerts import alerting
from flows.bars import Bars
from flows.cache import repair_cache
from flows.dvc_output import Line, read_lines
from flows.patience import waiting
from flows.repro import (
    drop_broken_lock,
    drop_broken_path_locks,
    drop_empty_run_caches,
    repro,
)
from flows.server import prefect_server
from flows.stale import mark_stale, workspace_tag
from flows.stores import require_git
from flows.story import leave_artifacts
from flows.studies import LAST, opened, stale, tell_dvc
from flows.workspace import home, only_run, require_workspace
from pipeline.corpus.feasible import check_arms
from pipeline.corpus.register import read_register
from pipeline.errors import IncompleteError, StageError
from pipeline.files import read_jsonl
from pipeline.stage import STAGES, place
from pipeline.store.runs import RUNS, recording
from pipeline.workspace import Workspace

FAILED = "failed.jsonl"  # in a stage's folder: the items that its last run gave up
_NO_LOGS: Mapping[str, Path] = {}
WORDS = {"runs": "done", "restored": "from the cache", "unchanged": "unchanged", "frozen": "frozen"}


def run_studies(names: Sequence[str]) -> None:
    """Bring every stage of these studies up to date, or raise the one sentence that says why not.

    What a study's file can be wrong in is told before anything runs.
    """
    require_workspace()
    require_git()
    with alerting(", ".join(names)) as end:
        with only_run("pallor run"):
            for name in names:
                _check_inputs(name)
            tell_dvc(names)
            bring_up([f"{LAST}@{name}" for name in names], failed_logs(names), names)
        end.lost = sum(given_up(failed_logs(names)).values())


def bring_up(
    targets: Sequence[str] = (), logs: Mapping[str, Path] = _NO_LOGS, studies: Sequence[str] = ()
) -> None:
    """Bring DVC's `targets` (none: all) up to date; only for the holder of the workspace.

    `logs` is where stages list what they gave up, by their keys. The figures of `studies` are shown
    on Prefect's page.
    """
    with waiting("DVC's cache and locks are looked through"):
        drop_broken_path_locks()
        drop_broken_lock()
        drop_empty_run_caches()
        repair_cache()
        again = list(given_up(logs))
        if not again and not stale(targets):
            print("every stage is up to date, nothing to run", flush=True)
            return
    with waiting("the assets are fetched"):
        fetch(home())
    with recording(RUNS, "corpus") as record, prefect_server(home()) as url:
        print(f"prefect: {url}", flush=True)
        mark_stale()
        record["studies"] = list(studies)
        with tags(workspace_tag()):
            record["stages"] = corpus(targets, again, studies)
        record["given_up"] = given_up(logs)


@flow(name="corpus")
def corpus(
    targets: Sequence[str] = (), again: Sequence[str] = (), studies: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Drive `dvc repro`; stage, outcome and seconds of each stage, in order.

    The stages `again` run first, though nothing they depend on has changed: they gave items up.
    Raises StageError with the sentence of the stage that failed.
    """
    outcomes = []
    for name in again:
        outcomes += _driven("--force", "--single-item", name)
    outcomes += _driven(*targets)
    leave_artifacts(outcomes, studies)
    return outcomes


def failed_logs(names: Sequence[str]) -> dict[str, Path]:
    """Where the stages of these studies list the items that their last run gave up, by key."""
    return {
        stage.key(name): place(stage.items, Workspace(name)) / FAILED
        for name in names
        for stage in STAGES.values()
        if stage.may_give_up
    }


def given_up(logs: Mapping[str, Path]) -> dict[str, int]:
    """How many items each stage gave up in its last run; those that gave up none are left out."""
    return {key: len(read_jsonl(log)) for key, log in logs.items() if log.is_file()}


def require_complete(logs: Mapping[str, Path]) -> None:
    """Raise IncompleteError when a stage gave items up."""
    if lost := given_up(logs):
        counts = ", ".join(f"{key} {count}" for key, count in lost.items())
        files = ", ".join(str(logs[key]) for key in lost)
        raise IncompleteError(
            f"the corpus stands, but some items could not be made ({counts}); {files} "
            "says why, and `pallor run` tries them again"
        )


def _driven(*options: str) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = []
    with repro(*options) as output:
        for name, lines in groupby(read_lines(output), key=lambda line: line.stage):
            start = time.monotonic()
            show = stage.with_options(name=name or "dvc", task_run_name=name or "dvc")
            state: State[Any] = show(lines, return_state=True)
            seconds = round(time.monotonic() - start, 1)
            if state.is_failed():
                raise StageError(f"{name or 'dvc'} failed: {state.message}")
            outcomes.append({"stage": name, "outcome": state.name, "seconds": seconds})
    return outcomes


@task(cache_policy=NO_CACHE)
def stage(lines: Iterator[Line]) -> State[Any]:
    """Show one stage's lines until DVC goes on to the next."""
    outcome, said, failed = "runs", "", False
    start = time.monotonic()
    with Bars() as bars:
        for line in _awaited(lines):
            outcome, failed = line.outcome, failed or line.failed
            if line.text.startswith("pallor: "):  # the stage's own sentence, said once, at the end
                said = line.text.removeprefix("pallor: ")
            elif line.failed:
                said = said or line.text.removeprefix("ERROR: ")
            elif line.text:
                bars.say(line.text)
    if failed:
        return Failed(message=said)
    seconds = f" in {time.monotonic() - start:.0f} s" if outcome == "runs" else ""
    print(f"{line.stage}: {WORDS[outcome]}{seconds}", flush=True)
    return Completed(name=WORDS[outcome].capitalize(), message=f"{WORDS[outcome]}{seconds}")


def _check_inputs(study: str) -> None:
    _, asked, params = opened(study)
    check_arms(asked, params)
    if not asked.portraits:
        return
    # DVC runs the stage `plan` when a file changed; a consent may end on a day when none did.
    read_register(Path(params.portraits.source) / "register.csv", date.today())
    checkpoint = Path(params.motion.checkpoint)
    if not checkpoint.is_file():
        raise StageError(f"motion.checkpoint {checkpoint} is missing; `make motion` trains it")


def _awaited(lines: Iterator[Line]) -> Iterator[Line]:
    name = "dvc"
    while True:
        with waiting(f"{name} works"):
            line = next(lines, None)
        if line is None:
            return
        name = line.stage or name
        yield line
