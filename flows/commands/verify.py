"""The command that checks every file: verify."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.studies import made_here
from flows.terminal import say_json
from flows.workspace import require_rest
from pipeline.errors import StageError
from pipeline.workspace import Workspace

if TYPE_CHECKING:  # its own imports are half a second that `pallor --help` does not need
    from pipeline.lineage.corpus import Place

SHOWN = 5  # findings of one kind in one file; the rest are counted


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


def verify(options: Namespace) -> None:
    """`pallor verify`: one line a finding; StageError (exit code 2) when there is any.

    What a run is writing fits nothing yet, so while one goes on that alone is said.
    """
    from flows.stores import place as here
    from pipeline.lineage.elsewhere import elsewhere
    from pipeline.lineage.lock import read_lock
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
    if away := elsewhere(place.root, read_lock(place.root / Workspace().lock)):
        said = "not made here, so only what git has of it was checked"
        answer.say("\n".join(f"{study}: {said}" for study in away), not_made_here=away)
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


def _against_record(place: "Place", revision: str, answer: _Answer) -> None:
    from pipeline.lineage.record import compare, found, recorded, studies_of
    from pipeline.report.templates import counted

    here, there = made_here(), studies_of(place.root, revision)
    both = [study for study in here if study in there]
    other = 0
    for study in both or here:  # of none that git records, `recorded` says so
        files = place.files(study)
        compared = compare(recorded(files, revision), found(files))
        lines = [*(finding.text() for finding in compared.other), f"{study}: {compared.text()}"]
        answer.say("\n".join(lines), **{study: asdict(compared)})
        other += len(compared.other)
    for study in sorted({*here} ^ {*there}):
        lacks = f"{revision} does not record it" if study in here else "it was not made here"
        answer.say(f"{study}: not compared, {lacks}", **{study: {"not compared": lacks}})
    answer.end()
    if other:
        raise StageError(f"not as in the record: {counted(other, 'film')}, see above")


def _rebuild(place: "Place", count: int, seed: int, answer: _Answer) -> bool:
    """Render `count` clips anew; whether all came out the same."""
    from pipeline.corpus.planned import read_plan
    from pipeline.lineage.rebuild import draw, rebuild
    from pipeline.store.store import Store

    files = [place.files(study) for study in made_here()]
    clips = [(c, f.clips / f"{c.clip_id}.mp4") for f in files for c in read_plan(f.plan).clips]
    rebuilt = []
    for outcome in rebuild(draw(clips, count, seed), Store(place.home, "render")):
        rebuilt.append(outcome)
        answer.say(outcome.text(), rebuilt=[asdict(each) for each in rebuilt])
    return all(outcome.same for outcome in rebuilt)
