"""Commands on lineage: explain, find, sql, verify, diff, release."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.options import add_study
from flows.studies import chosen, made, opened
from flows.workspace import LOCKS, require_workspace
from pipeline.errors import StageError
from pipeline.exports.outputs import output_file
from pipeline.files import writing
from pipeline.lineage.attributes import NAMES

if TYPE_CHECKING:  # its own imports are half a second that `pallor --help` does not need
    from pipeline.lineage.corpus import Place
    from pipeline.lineage.database import Index
    from pipeline.lineage.explain import Scope

SHOWN = 5  # findings of one kind in one file; the rest are counted


def add_commands(command: Callable[[str, str], ArgumentParser]) -> None:
    """What can be asked; `command` makes the parser of one command."""
    page = command("explain", "say everything known of an id: what it came from, what it led to")
    page.add_argument("id", metavar="ID", help="a clip, sample, portrait, identity, camera; "
                      "a key such as 3/smiling; a model, a metric; an expression")  # fmt: skip
    add_study(page)
    page.add_argument("--json", action="store_true", help="the whole answer, code hashes included")
    page.add_argument("--html", metavar="FILE", help="a page with the graph")
    page = command("find", "list the clips that fit every attribute given")
    for name, help_ in NAMES.items():
        page.add_argument(f"--{name}", help=help_)
    add_study(page)
    page = command("sql", "answer one SELECT on the index of a study, read-only")
    page.add_argument("query", metavar="SQL", help="tables: docs/lineage.md")
    add_study(page)
    page.add_argument("--json", action="store_true", help="one JSON object a row")
    page = command("verify", "hash everything again and say what was altered since it was made")
    page.add_argument(
        "--rebuild", type=int, default=0, metavar="N", help="also render N clips anew"
    )
    page.add_argument("--seed", type=int, default=0, help="which N clips (default: 0)")
    page.add_argument("--release", metavar="VERSION", help="against the attestation of a release")
    page.add_argument(
        "--against-record", nargs="?", const="HEAD", metavar="REV",
        help="only: do the films show what the manifest in git says, by default of HEAD?",
    )  # fmt: skip
    page = command("diff", "say what changed between two versions of the dataset")
    page.add_argument("old", metavar="REV1")
    page.add_argument("new", metavar="REV2", nargs="?", help="default: the workspace")
    add_study(page)
    page.add_argument("--json", action="store_true")
    page = command("release", "tag the commit as a version with a signed attestation")
    page.add_argument("version", metavar="VERSION", help="such as 1.0.0")
    page.add_argument("--key", metavar="FILE.pem", help="Ed25519 key (default: one made here)")


def explain(options: Namespace) -> None:
    """`pallor explain`: one id, backwards and forwards."""
    from flows.stores import place
    from pipeline.lineage import explain as lineage
    from pipeline.lineage import page

    html = output_file(options.html, ".html") if options.html else None
    try:
        scope = scope_of(options.study)
        with closing(scope.database):
            answer = lineage.explain(scope, options.id)
    except StageError:
        forgotten = lineage.removed(options.id, place())
        if forgotten is None:
            raise
        answer = forgotten
    if html:
        with writing(html) as part:
            part.write_text(page.html(answer))
        print(html.absolute().as_uri())
    else:
        print(json.dumps(answer, indent=2) if options.json else page.text(answer))


def find(options: Namespace) -> None:
    """`pallor find`: the clips that fit, one id a line."""
    from pipeline.lineage import filters

    asked = {name: vars(options)[name] for name in NAMES if vars(options)[name] is not None}
    with closing(index_of(_study(options.study))) as index:
        clips = filters.find(index, filters.meant(index, asked))
    print("\n".join(clips) if clips else "no clip fits")


def sql(options: Namespace) -> None:
    """`pallor sql`: the answer's columns, then its rows, separated by tabs, or JSON lines."""
    from pipeline.lineage.sql import rows

    with closing(index_of(_study(options.study))) as database:
        answer = rows(database, options.query)
        columns = [str(name) for name in next(answer)]
        if not options.json:
            print("\t".join(columns))
        for row in answer:
            if options.json:
                print(json.dumps(dict(zip(columns, row, strict=True)), default=str))
            else:
                print("\t".join("" if value is None else str(value) for value in row))


def verify(options: Namespace) -> None:
    """`pallor verify`: one line a finding; StageError (exit code 2) when there is any."""
    from flows.stores import place as here
    from pipeline.lineage.release import verify_release
    from pipeline.lineage.verify import summary
    from pipeline.lineage.verify import verify as check

    place = here()
    if options.against_record:
        _against_record(place, options.against_record)
        return
    findings = list(check(place))
    if options.release:
        signer, differing = verify_release(place, options.release)
        print(f"release {options.release}: signed by key {signer}")
        findings += differing
    for _, group in groupby(findings, key=lambda finding: (finding.what, finding.where)):
        rows = list(group)
        print("\n".join(finding.text() for finding in rows[:SHOWN]))
        print(f"  and {len(rows) - SHOWN} more of this kind" if len(rows) > SHOWN else "", end="")
    if options.rebuild:
        _rebuild(place, options.rebuild, options.seed)
    if findings:
        raise StageError(f"not everything is as it was made: {len(findings)} findings, see above")
    print(summary(place))


def diff(options: Namespace) -> None:
    """`pallor diff`: clips, pixels, parameters, figures and code of two versions."""
    from flows.stores import place
    from pipeline.lineage import diff as lineage

    study = _study(options.study)
    old, new = (lineage.snapshot(Path("."), at, study) for at in (options.old, options.new))
    difference = lineage.compare(old, new, place())
    print(json.dumps(difference, indent=2) if options.json else lineage.text(difference))


def release(options: Namespace) -> None:
    """`pallor release`: an annotated, attested tag; only of what verifies."""
    from flows.stores import place as here
    from pipeline.lineage.release import release as attest
    from pipeline.lineage.verify import verify as check

    place = here()
    finding = next(check(place), None)
    if finding:
        raise StageError(f"this is no release: {finding.text()}; `pallor verify` lists all")
    made = attest(place, options.version, Path(options.key) if options.key else None)
    print(f"{made.tag}: tagged and signed by key {made.signer}")
    print(made.note or f"{made.folder}: bills of materials, and signatures of the models")
    print(f"git push origin {made.tag} publishes it")
    print(f"pallor verify --release {options.version} checks it")


def index_path(study: str) -> Path:
    """Where the index of a study is kept."""
    return LOCKS / f"pallor-lineage-{study}.duckdb"


def index_of(name: str) -> "Index":
    """The index of a study, made anew when a table of it has changed."""
    from pipeline.lineage.index import open_index

    workspace, study, _ = opened(name)
    index_path(name).with_suffix(".sqlite").unlink(missing_ok=True)  # as it was before DuckDB
    return open_index(workspace, study, index_path(name))


def scope_of(name: str) -> "Scope":
    """Where an answer about a study is looked for; its index is its caller's to close."""
    from flows.stores import place
    from pipeline.lineage.explain import Scope

    study = _study(name)
    return Scope(index_of(study), place(), opened(study)[1])


def _study(name: str) -> str:
    require_workspace()
    [study] = chosen(name, one=True)
    return study


def _against_record(place: "Place", revision: str) -> None:
    from pipeline.lineage.record import compare, found, recorded

    other = 0
    for study in made():
        files = place.files(study)
        answer = compare(recorded(files, revision), found(files))
        print(
            "\n".join([*(finding.text() for finding in answer.other), f"{study}: {answer.text()}"])
        )
        other += len(answer.other)
    if other:
        raise StageError(f"{other} films are not the record's, see above")


def _rebuild(place: "Place", count: int, seed: int) -> None:
    from pipeline.corpus.planned import read_plan
    from pipeline.lineage.rebuild import draw, rebuild
    from pipeline.store.store import Store

    files = [place.files(study) for study in made()]
    clips = [(c, f.clips / f"{c.clip_id}.mp4") for f in files for c in read_plan(f.plan).clips]
    rebuilt = []
    for outcome in rebuild(draw(clips, count, seed), Store(place.home, "render")):
        print(outcome.text(), flush=True)
        rebuilt.append(outcome)
    if not all(outcome.same for outcome in rebuilt):
        raise StageError("clips came out otherwise; another processor may round otherwise")
