"""Commands on lineage: explain, find, sql, diff, release."""

import json
import os
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.options import add_study
from flows.studies import chosen, opened
from flows.terminal import say_json
from flows.workspace import LOCKS, require_workspace
from pipeline.errors import StageError
from pipeline.exports.outputs import output_file
from pipeline.files import writing
from pipeline.lineage.attributes import NAMES

if TYPE_CHECKING:  # its own imports are half a second that `pallor --help` does not need
    from pipeline.lineage.database import Index
    from pipeline.lineage.explain import Scope


def explain_options(page: ArgumentParser) -> None:
    """What `pallor explain` can be asked."""
    page.add_argument(
        "id", metavar="ID", help="a clip, sample, portrait, identity, camera, model, metric; "
        "a key such as photo/astronaut; an expression",
    )  # fmt: skip
    add_study(page)
    page.add_argument("--html", metavar="FILE", help="a page with the graph")


def find_options(page: ArgumentParser) -> None:
    """What `pallor find` can be asked."""
    for name, help_ in NAMES.items():
        page.add_argument(f"--{name}", help=help_)
    add_study(page)


def sql_options(page: ArgumentParser) -> None:
    """What `pallor sql` can be asked."""
    page.add_argument("query", metavar="SQL", help="tables: docs/lineage.md")
    add_study(page)


def diff_options(page: ArgumentParser) -> None:
    """What `pallor diff` can be asked."""
    page.add_argument("old", metavar="REV1")
    page.add_argument("new", metavar="REV2", nargs="?", help="default: the workspace")
    add_study(page)
    page.add_argument("--html", metavar="FILE", help="a page: changed clips before and after")


def release_options(page: ArgumentParser) -> None:
    """What `pallor release` can be asked."""
    page.add_argument("version", metavar="VERSION", help="such as 1.0.0")
    page.add_argument("--key", metavar="FILE.pem", help="Ed25519 key (default: one made here)")
    page.add_argument(
        "--tsa", metavar="URL", default=os.environ.get("PALLOR_TSA"),
        help="a time authority that signs when (default: PALLOR_TSA, else none is asked)",
    )  # fmt: skip


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
    if options.json:
        say_json(clips)
        return
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


def diff(options: Namespace) -> None:
    """`pallor diff`: clips, pixels, parameters, figures and code; the worst clip as a picture."""
    from flows.stores import place
    from pipeline.lineage import beside
    from pipeline.lineage import diff as lineage

    html = output_file(options.html, ".html") if options.html else None
    study = _study(options.study)
    old, new = (lineage.snapshot(Path("."), at, study) for at in (options.old, options.new))
    here = place()
    difference = lineage.compare(old, new, here)
    if html:
        with writing(html) as part:
            part.write_text("".join(beside.page(difference, old, new, here)))
    if options.json:
        print(json.dumps(difference, indent=2))
        return
    print(lineage.text(difference))
    if drawn := beside.write_worst(difference, old, new, here, LOCKS / f"pallor-diff-{study}.png"):
        print(drawn)
    if html:
        print(html.absolute().as_uri())


def release(options: Namespace) -> None:
    """`pallor release`: an annotated, attested tag; only of what verifies."""
    from flows.commands.gate import PAGES, measured
    from flows.stores import place as here
    from pipeline.lineage.gates import gates
    from pipeline.lineage.release import release as attest
    from pipeline.lineage.verify import verify as check

    require_workspace()
    if bad := next(gates(measured(), [page for page in PAGES if page.is_file()]), None):
        raise StageError(f"this is no release: {bad.text()}; `pallor gate` lists all")
    place = here()
    finding = next(check(place), None)
    if finding:
        raise StageError(f"this is no release: {finding.text()}; `pallor verify` lists all")
    key = Path(options.key) if options.key else None
    made = attest(place, options.version, key, options.tsa)
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
