"""Commands on whole studies: run, plan, studies, demo, report, assets, doctor."""

import json
import os
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from flows.settings import PARAMS, overridden, write_settings
from flows.studies import chosen, opened
from flows.workspace import home, only_run, require_workspace
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file
from pipeline.files import write_jsonl
from pipeline.params import Params
from pipeline.records import ClipPlan, Record
from pipeline.study import Study
from pipeline.workspace import Workspace


def run(options: Namespace) -> None:
    """`pallor run`: write the settings, bring every stage up to date, print the figures."""
    require_workspace()
    names = chosen(options.study)
    if options.small:
        from flows.small import run_small

        if options.settings:
            raise ParamsError("--small takes its settings from small.yaml; leave --set out")
        for name in names:
            run_small(name)
        return
    for name in names:
        planned(*overridden(options.settings, Workspace(name)))
    home().mkdir(parents=True, exist_ok=True)  # Prefect, imported next, makes its own folder only
    from flows.corpus import failed_logs, require_complete, run_studies

    if options.settings:
        write_settings(options.settings, names)
    run_studies(names)
    for name in names:
        _print_report(name)
    require_complete(failed_logs(names))


def plan(options: Namespace) -> None:
    """`pallor plan`: the counts of the plan and its cost, before one pixel."""
    from pipeline.corpus.cost import estimate

    require_workspace()
    [name] = chosen(options.study, one=True)
    study, params = overridden(options.settings, Workspace(name))
    reads = (PARAMS, Workspace(name).study_file, Path(params.portraits.source) / "register.csv")
    out = output_file(options.out, inputs=reads) if options.out else None
    rows = planned(study, params)
    if out:
        write_jsonl(out, [row.row() for row in rows])
    print(_summary(rows))
    print(estimate(rows, study, params).text(os.cpu_count() or 1))


def studies(options: Namespace) -> None:
    """`pallor studies`: every study, how it stands and what it costs, one line each."""
    from flows.studies import overview

    del options
    require_workspace()
    with only_run("pallor studies"):  # it asks DVC, which a run keeps busy
        rows = list(overview(os.cpu_count() or 1))
    for row in rows:
        print(f"{row.name:<16} {row.state:<24} {row.clips:>5} clips  {row.cost:<10} {row.title}")


def planned(study: Study, params: Params) -> list[Record]:
    """The rows of the plan; ParamsError when this or a later stage could not do with them."""
    from pipeline.corpus.plan import make_plan
    from pipeline.training.rehearsal import rehearse

    register = Path(params.portraits.source) / "register.csv"
    rows = make_plan(study, params, register, date.today())
    rehearse(rows, study, params)
    return rows


def demo(options: Namespace) -> None:
    """`pallor demo`: the whole line, small, in a workspace of its own."""
    from flows.demo import run_demo

    del options
    require_workspace()
    run_demo()


def report(options: Namespace) -> None:
    """`pallor report`: the figures of the last run and where its page is; or one JSON object."""
    require_workspace()
    if options.json:
        from pipeline.report.summary import report_object

        [name] = chosen(options.study, one=True)
        workspace, study, _ = opened(name)
        print(json.dumps(report_object(workspace, study), indent=2))
        return
    for name in chosen(options.study):
        _print_report(name)


def assets(options: Namespace) -> None:
    """`pallor assets`: fetch what is missing and say where it lies."""
    from avatars.assets import fetch
    from pipeline.exports.parts import fetch_parts

    del options
    fetch(home())
    print(f"assets: complete and verified in {fetch_parts(home())}")


def doctor(options: Namespace) -> None:
    """`pallor doctor`: one line a check; exit code 2 when one fails."""
    from flows.doctor import examine

    del options
    examine()


def _print_report(name: str) -> None:
    from pipeline.report.summary import terminal_summary

    workspace, study, _ = opened(name)
    print(terminal_summary(workspace, study))
    print(f"page: {(workspace.report / 'index.html').absolute().as_uri()}")


def _summary(rows: Sequence[Record]) -> str:
    kinds = Counter(row.row()["kind"] for row in rows)
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    people = {clip.person.identity_id: clip.person for clip in clips}.values()
    lines = [
        f"avatar clips       {kinds['clip']:5}  {_counts(clip.label for clip in clips)}",
        f"people             {len(people):5}  {_counts(p.sex for p in people)}; "
        f"{_counts(p.ethnicity for p in people)}",
        f"portraits          {kinds['portrait']:5}  "
        f"{_counts(r.row()['licence'] for r in rows if r.row()['kind'] == 'portrait')}",
        f"transferred clips  {kinds['transfer']:5}  "
        f"{_counts(r.row()['label'] for r in rows if r.row()['kind'] == 'transfer')}",
    ]
    return "\n".join(lines)


def _counts(values: Iterable[str | None]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(map(str, values)).items()))
