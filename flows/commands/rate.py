"""Commands on people's and models' opinions of labels: `pallor rate`, `pallor audit`."""

from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

from flows.commands.options import add_study
from flows.studies import opened
from flows.terminal import say_json
from flows.workspace import home
from pipeline.errors import StageError
from pipeline.lineage.attributes import NAMES


def rate_options(page: ArgumentParser) -> None:
    """What `pallor rate` can be asked."""
    page.add_argument("ratings", nargs="?", metavar="FILE.json", help="ratings, exported as JSON")
    page.add_argument("-o", "--out", required=True, metavar="OUT",
                      help="a new folder of tasks; with ratings: FILE.jsonl")  # fmt: skip
    page.add_argument(
        "--root", default="", help="where the folder lies below Label Studio's documents"
    )
    for name, help_ in NAMES.items():
        page.add_argument(f"--{name}", help=help_)
    add_study(page)


def audit_options(page: ArgumentParser) -> None:
    """What `pallor audit` can be asked."""
    add_study(page)


def rate(options: Namespace) -> None:
    """`pallor rate`: tasks into a folder, or ratings into a table."""
    if options.ratings:
        _read(options)
    else:
        _hand_out(options)


def audit(options: Namespace) -> None:
    """`pallor audit`: a line a finding; StageError (exit code 2) when a study's check fails."""
    from flows.commands.lineage import index_of
    from pipeline.exports.doubts import doubts, failed_checks
    from pipeline.report.templates import counted

    workspace, study, _ = opened(options.study)
    found = [doubt.text() for doubt in doubts(workspace, study)]
    with closing(index_of(options.study)) as index:
        failed = list(failed_checks(workspace, index))
    if options.json:
        say_json({"contradicted": found, "failed": failed})
    else:
        print(f"{counted(len(found), 'clip')} whose label the study's main model contradicts")
        print("".join(f"{line}\n" for line in [*(f"  {text}" for text in found), *failed]), end="")
    if failed:
        raise StageError(f"{counted(len(failed), 'check')} of {study.name} failed, see above")


def _hand_out(options: Namespace) -> None:
    from flows.commands.lineage import index_of
    from pipeline.exports.outputs import output_folder
    from pipeline.exports.rating import write_tasks
    from pipeline.files import writing_folder
    from pipeline.lineage import filters
    from pipeline.look.clip import film, row_of
    from pipeline.look.twins import playable
    from pipeline.report.templates import counted

    workspace, study, params = opened(options.study)
    asked = {name: vars(options)[name] for name in NAMES if vars(options)[name] is not None}
    out = output_folder(options.out)
    if out.is_dir() and any(out.iterdir()):
        raise StageError(f"{out} exists already; name a new folder or remove it first")
    with closing(index_of(options.study)) as index:
        found = filters.find(index, filters.meant(index, {"status": "kept", **asked}))
        films = {clip: film(workspace, row_of(index, clip)) for clip in found}
    if not films:
        raise StageError(f"no clip of {options.study} fits, so there is nothing to rate")
    twins = {clip: playable(path, home()) for clip, path in films.items()}
    with writing_folder(out) as part:
        write_tasks(twins, study, params.seed, part, options.root)
    print(
        f"{options.out}: {counted(len(films), 'clip')} to rate; import tasks.json, set config.xml"
    )


def _read(options: Namespace) -> None:
    from pipeline.corpus.planned import read_plan
    from pipeline.exports.outputs import output_file
    from pipeline.exports.rating import read_ratings, summary
    from pipeline.files import write_jsonl
    from pipeline.report.templates import counted

    workspace, study, params = opened(options.study)
    out = output_file(options.out, ".jsonl", [Path(options.ratings)])
    plan = read_plan(workspace.plan)
    truth = {clip.clip_id: str(clip.label) for clip in plan.clips}
    truth |= {row.clip_id: str(row.label) for row in plan.transfers}
    ratings = read_ratings(Path(options.ratings), list(truth), study, params.seed)
    write_jsonl(out, (
        {"clip_id": row.clip_id, "rater": row.rater, "rated": row.label,
         "label": truth[row.clip_id], "agreed": ratings.agreed.get(row.clip_id)}
        for row in ratings.rows
    ))  # fmt: skip
    print("\n".join(summary(ratings, truth)))
    rated, agreed = counted(len(ratings.rows), "rating"), counted(len(ratings.agreed), "clip")
    print(f"{out}: {rated}, {agreed} agreed on")
