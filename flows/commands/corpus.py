"""Commands on whole studies: run, plan, studies, demo, report, assets, doctor."""

import os
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from flows.commands.options import add_settings, add_study
from flows.settings import PARAMS, overridden, write_settings
from flows.studies import chosen, opened
from flows.terminal import say_json, say_table
from flows.workspace import home, only_run, require_workspace
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file
from pipeline.files import write_jsonl
from pipeline.params import Params
from pipeline.records import ClipPlan, Record
from pipeline.study import Study
from pipeline.workspace import Workspace


def run_options(page: ArgumentParser) -> None:
    """What `pallor run` can be asked."""
    from flows.presets import PRESETS

    add_settings(page)
    add_study(page, several=True)
    page.add_argument(
        "--small", action="store_true",
        help="at the tiny size of studies/NAME/small.yaml, in a workspace of its own",
    )  # fmt: skip
    page.add_argument(
        "--preset", choices=list(PRESETS),
        help="how much of this machine, or of a cluster, works at once; the bytes stay the same",
    )  # fmt: skip


def plan_options(page: ArgumentParser) -> None:
    """What `pallor plan` can be asked."""
    add_settings(page)
    add_study(page)
    page.add_argument("-o", "--out", metavar="FILE", help="also write the table, as JSON lines")


def report_options(page: ArgumentParser) -> None:
    """What `pallor report` can be asked."""
    add_study(page, several=True)


def run(options: Namespace) -> None:
    """`pallor run`: write the settings, bring every stage up to date, print the figures."""
    require_workspace()
    if options.preset:
        from flows.presets import take

        print(take(options.preset), flush=True)
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
    cost, cores = estimate(rows, study, params), os.cpu_count() or 1
    if options.json:
        say_json({"study": name, **_counted(rows), "cores": cores, "seconds": cost.wall(cores),
                  "disk_bytes": round(cost.disk)})  # fmt: skip
        return
    print(_summary(_counted(rows)))
    print(cost.text(cores))


def studies(options: Namespace) -> None:
    """`pallor studies`: every study, how it stands and what it costs, one line each."""
    from flows.studies import overview

    require_workspace()
    with only_run("pallor studies"):  # it asks DVC, which a run keeps busy
        rows = list(overview(os.cpu_count() or 1))
    if options.json:
        say_json([asdict(row) for row in rows])
        return
    wide = max(len(row.name) for row in rows)
    say_table(
        ["study", "state", "clips", "cost", "question"],
        [[row.name, row.state, f"{row.clips}", row.cost, row.title] for row in rows],
        [
            f"{row.name:<{wide}} {row.state:<24} {row.clips:>5} clips  {row.cost:<10} {row.title}"
            for row in rows
        ],
    )


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
        say_json(report_object(workspace, study))
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

    examine(as_json=options.json)


def _print_report(name: str) -> None:
    from pipeline.report.summary import terminal_summary

    workspace, study, _ = opened(name)
    print(terminal_summary(workspace, study))
    print(f"page: {(workspace.report / 'index.html').absolute().as_uri()}")


def _counted(rows: Sequence[Record]) -> dict[str, Any]:
    """What the plan holds, counted: clips, people, portraits and transfers."""
    kinds = Counter(row.row()["kind"] for row in rows)
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    people = {clip.person.identity_id: clip.person for clip in clips}.values()
    said = [row.row() for row in rows]
    return {
        "clips": kinds["clip"],
        "clips_by_label": Counter(str(clip.label) for clip in clips),
        "people": len(people),
        "people_by_sex": Counter(p.sex for p in people),
        "people_by_ethnicity": Counter(p.ethnicity for p in people),
        "portraits": kinds["portrait"],
        "portraits_by_licence": Counter(r["licence"] for r in said if r["kind"] == "portrait"),
        "transfers": kinds["transfer"],
        "transfers_by_label": Counter(str(r["label"]) for r in said if r["kind"] == "transfer"),
    }


def _summary(counted: dict[str, Any]) -> str:
    def line(name: str, kind: str, *by: str) -> str:
        told = "; ".join(_counts(counted[f"{kind}_by_{what}"]) for what in by)
        return f"{name:<17}{counted[kind]:>7}  {told}"

    return "\n".join(
        [
            line("avatar clips", "clips", "label"),
            line("people", "people", "sex", "ethnicity"),
            line("portraits", "portraits", "licence"),
            line("transferred clips", "transfers", "label"),
        ]
    )


def _counts(values: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(values.items()))
