"""Commands on the whole corpus: run, plan, demo, report, assets, doctor."""

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from flows.settings import overridden, write_settings
from flows.workspace import METRICS, REPORT, home, require_workspace
from pipeline.files import write_jsonl
from pipeline.params import Params
from pipeline.records import ClipPlan, Record


def run(options: Namespace) -> None:
    """`pallor run`: write the settings, bring every stage up to date, print the figures."""
    require_workspace()
    home().mkdir(parents=True, exist_ok=True)  # Prefect, imported next, makes its own folder only
    from flows.corpus import require_complete, run_corpus

    if options.settings:
        write_settings(options.settings)
    run_corpus()
    report(options)
    require_complete()


def plan(options: Namespace) -> None:
    """`pallor plan`: the counts of the plan and its cost, before one pixel."""
    from pipeline.corpus.cost import estimate
    from pipeline.corpus.plan import make_plan

    params = overridden(options.settings)
    rows = make_plan(params, _register(params))
    if options.out:
        write_jsonl(Path(options.out), [row.row() for row in rows])
    print(_summary(rows))
    print(estimate(rows, params).text(os.cpu_count() or 1))


def demo(options: Namespace) -> None:
    """`pallor demo`: the whole line, small, in a workspace of its own."""
    from flows.demo import run_demo

    del options
    require_workspace()
    run_demo()


def report(options: Namespace) -> None:
    """`pallor report`: the figures of the last run and where its page is."""
    del options
    require_workspace()
    from pipeline.report.report import terminal_summary

    print(terminal_summary(METRICS))
    print(f"page: {(REPORT / 'index.html').absolute().as_uri()}")


def assets(options: Namespace) -> None:
    """`pallor assets`: fetch what is missing and say where it lies."""
    from avatars.assets import fetch

    del options
    print(f"assets: complete and verified in {fetch(home()).root}")


def doctor(options: Namespace) -> None:
    """`pallor doctor`: one line a check; exit code 2 when one fails."""
    from flows.doctor import examine

    del options
    examine()


def _register(params: Params) -> Path:
    return Path(params.portraits.source) / "register.csv"


def _summary(rows: Sequence[Record]) -> str:
    kinds = Counter(row.row()["kind"] for row in rows)
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    people = {clip.person.identity_id: clip.person for clip in clips}.values()
    lines = [
        f"avatar clips       {kinds['clip']:5}  {_counts(clip.expression for clip in clips)}",
        f"people             {len(people):5}  {_counts(p.sex for p in people)}; "
        f"{_counts(p.ethnicity for p in people)}",
        f"portraits          {kinds['portrait']:5}  "
        f"{_counts(r.row()['licence'] for r in rows if r.row()['kind'] == 'portrait')}",
        f"transferred clips  {kinds['transfer']:5}  "
        f"{_counts(r.row()['expression'] for r in rows if r.row()['kind'] == 'transfer')}",
    ]
    return "\n".join(lines)


def _counts(values: Iterable[str | None]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(map(str, values)).items()))
