"""The whole line: one `dvc repro`, driven as a Prefect flow with a task run a stage.

DVC decides whether a stage runs; this flow shows what DVC does. It is what `pallor run`,
`make corpus` and a deployment call.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from prefect import flow, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from avatars.assets import fetch
from flows.cache import repair_cache
from flows.dvc_output import Line, read_lines
from flows.repro import (
    drop_broken_lock,
    drop_broken_path_locks,
    drop_empty_run_caches,
    repro,
    up_to_date,
)
from flows.server import prefect_server
from flows.stale import mark_stale, workspace_tag
from flows.story import leave_artifacts
from flows.workspace import CLIPS, PORTRAITS, TRANSFERRED, home, only_run, require_workspace
from pipeline.errors import IncompleteError, StageError
from pipeline.files import read_jsonl
from pipeline.params import load_params
from pipeline.store.runs import RUNS, recording

MAY_GIVE_UP = {"render": CLIPS, "portraits": PORTRAITS, "transfer": TRANSFERRED}
WORDS = {"runs": "done", "restored": "from the cache", "unchanged": "unchanged", "frozen": "frozen"}


def run_corpus() -> None:
    """Bring every stage up to date, or raise the one sentence that says why not."""
    require_workspace()
    with only_run("pallor run"):
        _check_inputs()
        drop_broken_path_locks()
        drop_broken_lock()
        drop_empty_run_caches()
        repair_cache()
        again = list(given_up())
        if not again and up_to_date():
            print("every stage is up to date, nothing to run", flush=True)
            return
        fetch(home())
        with recording(RUNS, "corpus") as record, prefect_server(home()) as url:
            print(f"prefect: {url}", flush=True)
            mark_stale()
            with tags(workspace_tag()):
                record["stages"] = corpus(again)
            record["given_up"] = given_up()


@flow(name="corpus")
def corpus(again: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Drive `dvc repro`; stage, outcome and seconds of each stage, in order.

    The stages `again` run first, though nothing they depend on has changed: they gave items up.
    Raises StageError with the sentence of the stage that failed.
    """
    outcomes = []
    for name in again:
        outcomes += _driven("--force", "--single-item", name)
    outcomes += _driven()
    leave_artifacts(outcomes)
    return outcomes


def given_up() -> dict[str, int]:
    """How many items each stage gave up in its last run; those that gave up none are left out."""
    logs = {name: folder / "failed.jsonl" for name, folder in MAY_GIVE_UP.items()}
    return {name: len(read_jsonl(log)) for name, log in logs.items() if log.is_file()}


def require_complete() -> None:
    """Raise IncompleteError when a stage gave items up."""
    if lost := given_up():
        counts = ", ".join(f"{stage} {count}" for stage, count in lost.items())
        files = ", ".join(str(MAY_GIVE_UP[stage] / "failed.jsonl") for stage in lost)
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
    for line in lines:
        outcome, failed = line.outcome, failed or line.failed
        if line.text.startswith("pallor: "):  # the stage's own sentence, said once, at the end
            said = line.text.removeprefix("pallor: ")
        elif line.failed:
            said = said or line.text.removeprefix("ERROR: ")
        elif line.text:
            print(line.text, flush=True)
    if failed:
        return Failed(message=said)
    seconds = f" in {time.monotonic() - start:.0f} s" if outcome == "runs" else ""
    print(f"{line.stage}: {WORDS[outcome]}{seconds}", flush=True)
    return Completed(name=WORDS[outcome].capitalize(), message=f"{WORDS[outcome]}{seconds}")


def _check_inputs() -> None:
    checkpoint = Path(load_params().motion.checkpoint)
    if not checkpoint.is_file():
        raise StageError(f"motion.checkpoint {checkpoint} is missing; `make motion` trains it")
