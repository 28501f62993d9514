"""Commands on lineage: explain, find, verify, diff, release; flows.commands.forget has the last."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from configparser import ConfigParser
from contextlib import closing
from itertools import groupby
from pathlib import Path

from flows.workspace import LOCKS, home, require_workspace
from pipeline.errors import StageError
from pipeline.files import writing
from pipeline.lineage.corpus import PLAN, Workspace

INDEX = LOCKS / "pallor-lineage.sqlite"
SHOWN = 5  # findings of one kind in one file; the rest are counted


def add_commands(command: Callable[[str, str], ArgumentParser]) -> None:
    """What can be asked; `command` makes the parser of one command."""
    page = command("explain", "say everything known of an id: what it came from, what it led to")
    page.add_argument("id", metavar="ID", help="a clip, sample, portrait, identity, camera; "
                      "a key such as 3/FD3-L; model:clean, metric:clean; FD1")  # fmt: skip
    page.add_argument("--json", action="store_true", help="the whole answer, code hashes included")
    page.add_argument("--html", metavar="FILE", help="a page with the graph")
    page = command("find", "list the clips of a person, display, portrait, camera or side")
    for name, help_ in {
        "identity": "who drives the motion or is seen", "portrait": "whose face is seen",
        "expression": "such as FD1", "camera": "as `explain` names it",
        "kind": "avatar or transfer", "status": "kept, quarantined or planned",
    }.items():  # fmt: skip
        page.add_argument(f"--{name}", help=help_)
    page.add_argument("--side", metavar="PROTOCOL:SIDE", help="such as clean:test")
    page = command("verify", "hash everything again and say what was altered since it was made")
    page.add_argument(
        "--rebuild", type=int, default=0, metavar="N", help="also render N clips anew"
    )
    page.add_argument("--seed", type=int, default=0, help="which N clips (default: 0)")
    page.add_argument("--release", metavar="VERSION", help="against the attestation of a release")
    page = command("diff", "say what changed between two versions of the dataset")
    page.add_argument("old", metavar="REV1")
    page.add_argument("new", metavar="REV2", nargs="?", help="default: the workspace")
    page.add_argument("--json", action="store_true")
    page = command("release", "tag the commit as a version with a signed attestation")
    page.add_argument("version", metavar="VERSION", help="such as 1.0.0")
    page.add_argument("--key", metavar="FILE.pem", help="Ed25519 key (default: one made here)")


def workspace() -> Workspace:
    """The clone in the current folder, with DVC's cache and those remotes that are folders."""
    require_workspace()
    folder = Path(".dvc")
    config = ConfigParser()
    config.read([folder / "config", folder / "config.local"])
    urls = {
        section.strip("'").removeprefix('remote "').removesuffix('"'): config[section]["url"]
        for section in config.sections()
        if section.strip("'").startswith("remote ")
    }
    return Workspace(
        root=Path("."),
        home=home(),
        cache=folder / config.get("cache", "dir", fallback="cache"),
        remotes={name: folder / url for name, url in urls.items() if "://" not in url},
    )


def explain(options: Namespace) -> None:
    """`pallor explain`: one id, backwards and forwards."""
    from pipeline.lineage import explain as lineage
    from pipeline.lineage import page
    from pipeline.lineage.index import open_index

    place = workspace()
    try:
        with closing(open_index(place.root, INDEX)) as database:
            answer = lineage.explain(database, options.id, place)
    except StageError:
        forgotten = lineage.removed(options.id, place)
        if forgotten is None:
            raise
        answer = forgotten
    if options.html:
        with writing(Path(options.html)) as part:
            part.write_text(page.html(answer))
        print(Path(options.html).absolute().as_uri())
    else:
        print(json.dumps(answer, indent=2) if options.json else page.text(answer))


def find(options: Namespace) -> None:
    """`pallor find`: the clips that fit, one id a line."""
    from pipeline.lineage import query
    from pipeline.lineage.index import open_index

    place = workspace()
    filters = {name: vars(options)[name] for name in query.FILTERS if vars(options)[name]}
    side = query.parse_side(options.side) if options.side else None
    with closing(open_index(place.root, INDEX)) as database:
        clips = query.find(database, filters, side)
    print("\n".join(clips) if clips else "no clip fits")


def verify(options: Namespace) -> None:
    """`pallor verify`: one line a finding; StageError (exit code 2) when there is any."""
    from pipeline.lineage.release import verify_release
    from pipeline.lineage.verify import summary
    from pipeline.lineage.verify import verify as check

    place = workspace()
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
    from pipeline.lineage import diff as lineage

    place = workspace()
    old = lineage.snapshot(place.root, options.old)
    new = lineage.snapshot(place.root, options.new)
    difference = lineage.compare(old, new, place)
    print(json.dumps(difference, indent=2) if options.json else lineage.text(difference))


def release(options: Namespace) -> None:
    """`pallor release`: an annotated, attested tag; only of what verifies."""
    from pipeline.lineage.release import release as attest
    from pipeline.lineage.verify import verify as check

    place = workspace()
    finding = next(check(place), None)
    if finding:
        raise StageError(f"this is no release: {finding.text()}; `pallor verify` lists all")
    tag, signer = attest(place, options.version, Path(options.key) if options.key else None)
    print(f"{tag}: tagged and signed by key {signer}")
    print(
        f"git push origin {tag} publishes it; pallor verify --release {options.version} checks it"
    )


def _rebuild(place: Workspace, count: int, seed: int) -> None:
    from pipeline.corpus.planned import read_plan
    from pipeline.lineage.rebuild import draw, rebuild
    from pipeline.store.store import Store

    clips = draw(read_plan(place.root / PLAN).clips, count, seed)
    rebuilt = []
    for outcome in rebuild(clips, place.root, Store(place.home, "render")):
        print(outcome.text(), flush=True)
        rebuilt.append(outcome)
    if not all(outcome.same for outcome in rebuilt):
        raise StageError("clips came out otherwise; another processor may round otherwise")
