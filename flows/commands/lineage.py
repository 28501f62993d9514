"""Commands on lineage: explain, find, sql, verify, diff, release."""

import json
import os
from argparse import ArgumentParser, Namespace
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.options import add_study
from flows.studies import chosen, made, opened
from flows.terminal import say_json
from flows.workspace import LOCKS, require_rest, require_workspace
from pipeline.errors import StageError
from pipeline.exports.outputs import output_file
from pipeline.files import writing
from pipeline.lineage.attributes import NAMES

if TYPE_CHECKING:  # its own imports are half a second that `pallor --help` does not need
    from pipeline.lineage.corpus import Place
    from pipeline.lineage.database import Index
    from pipeline.lineage.explain import Scope

SHOWN = 5  # findings of one kind in one file; the rest are counted


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


def verify_options(page: ArgumentParser) -> None:
    """What `pallor verify` can be asked."""
    page.add_argument(
        "--rebuild", type=int, default=0, metavar="N", help="also render N clips anew"
    )
    page.add_argument("--seed", type=int, default=0, help="which N clips (default: 0)")
    page.add_argument("--release", metavar="VERSION", help="against the attestation of a release")
    page.add_argument(
        "--tsa-roots", metavar="FILE.pem", help="certificates that vouch for its time authority"
    )
    page.add_argument(
        "--against-record", nargs="?", const="HEAD", metavar="REV",
        help="only: do the films show what the manifest in git says, by default of HEAD?",
    )  # fmt: skip


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


def verify(options: Namespace) -> None:
    """`pallor verify`: one line a finding; StageError (exit code 2) when there is any.

    What a run is writing fits nothing yet, so while one goes on that alone is said.
    """
    from flows.stores import place as here
    from pipeline.lineage.release import released_at, verify_release
    from pipeline.lineage.verify import summary
    from pipeline.lineage.verify import verify as check
    from pipeline.report.templates import counted

    place, answer = here(), _Answer(options.json)
    require_rest("`pallor verify`")
    if options.against_record:
        _against_record(place, options.against_record, answer)
        return
    findings = list(check(place))
    if findings:
        require_rest("`pallor verify`")  # one that began meanwhile
    if options.release:
        signer, differing = verify_release(place, options.release)
        answer.say(f"release {options.release}: signed by key {signer}", signer=signer)
        roots = Path(options.tsa_roots) if options.tsa_roots else None
        if moment := released_at(place.root, options.release, roots):
            answer.say(f"release {options.release}: {moment}", time=moment)
        findings += differing
    answer.facts["findings"] = [asdict(finding) for finding in findings]
    for _, group in groupby(findings, key=lambda finding: (finding.what, finding.where)):
        rows = list(group)
        answer.say("\n".join(finding.text() for finding in rows[:SHOWN]))
        if len(rows) > SHOWN:
            answer.say(f"  and {len(rows) - SHOWN} more of this kind")
    same = _rebuild(place, options.rebuild, options.seed, answer) if options.rebuild else True
    if not findings:
        answer.say(summary(place), summary=summary(place))
    answer.end()
    if not same:
        raise StageError("clips made again have other pixels, see above (docs/decisions/bytes.md)")
    if findings:
        raise StageError(
            f"not everything is as it was made: {counted(len(findings), 'finding')}, see above "
            "(docs/tutorials/auditor.md says what to do)"
        )


class _Answer:
    """What `verify` says: line by line as it is found, or at the end as one JSON object."""

    def __init__(self, as_json: bool) -> None:
        self.as_json, self.facts = as_json, dict[str, Any]()

    def say(self, text: str, **facts: Any) -> None:
        """A line for people; `facts` for programs."""
        self.facts |= facts
        if not self.as_json:
            print(text, flush=True)

    def end(self) -> None:
        """Say the object, where one was asked for."""
        if self.as_json:
            say_json(self.facts)


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


def _against_record(place: "Place", revision: str, answer: _Answer) -> None:
    from pipeline.lineage.record import compare, found, recorded

    other = 0
    for study in made():
        files = place.files(study)
        compared = compare(recorded(files, revision), found(files))
        lines = [*(finding.text() for finding in compared.other), f"{study}: {compared.text()}"]
        answer.say("\n".join(lines), **{study: asdict(compared)})
        other += len(compared.other)
    answer.end()
    if other:
        raise StageError(f"{other} films are not the record's, see above")


def _rebuild(place: "Place", count: int, seed: int, answer: _Answer) -> bool:
    """Render `count` clips anew; whether all came out the same."""
    from pipeline.corpus.planned import read_plan
    from pipeline.lineage.rebuild import draw, rebuild
    from pipeline.store.store import Store

    files = [place.files(study) for study in made()]
    clips = [(c, f.clips / f"{c.clip_id}.mp4") for f in files for c in read_plan(f.plan).clips]
    rebuilt = []
    for outcome in rebuild(draw(clips, count, seed), Store(place.home, "render")):
        rebuilt.append(outcome)
        answer.say(outcome.text(), rebuilt=[asdict(each) for each in rebuilt])
    return all(outcome.same for outcome in rebuilt)
