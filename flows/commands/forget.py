"""`pallor forget`: a person leaves the dataset, and no byte of them stays behind."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.lineage import index_of, index_path
from flows.settings import overridden, write_settings
from flows.studies import made, opened
from flows.terminal import say_json
from flows.workspace import only_run
from pipeline.errors import ParamsError, StageError
from pipeline.params import load_params
from pipeline.workspace import Workspace

if TYPE_CHECKING:  # half a second that `pallor --help` does not need
    from pipeline.lineage.corpus import Place
    from pipeline.lineage.forget import Consequences
    from pipeline.lineage.intent import Intent


def forget_options(page: ArgumentParser) -> None:
    """What `pallor forget` can be asked."""
    page.add_argument("id", metavar="ID", help="a portrait or identity, or a key: photo/astronaut")
    page.add_argument("--apply", action="store_true", help="remove them, and run the line anew")
    page.add_argument("--no-run", action="store_true", help="with --apply: leave the run to you")


def forget(options: Namespace) -> None:
    """`pallor forget`: a dry run unless --apply is given; a killed removal is finished."""
    from flows.stores import place as here
    from pipeline.lineage import history

    place = here()
    history.vouch(place.root)
    intent = _begun(place, options.id)
    if not options.apply:
        _say_plan(intent or _planned(place, options.id), intent is not None, options.json)
        return
    if options.json:
        raise ParamsError("--json tells what a removal would mean; leave --apply out")
    with only_run("pallor forget"):
        intent = _begin(place, options.id) if intent is None else _resumed(place, intent)
        intent = _erase(place, intent, run=not options.no_run)
    if intent.step in ("run", "commit") and not options.no_run:
        intent = _run(place, intent)
    _prove(place, intent)


def _say_plan(intent: "Intent", begun: bool, as_json: bool) -> None:
    if as_json:
        say_json({**asdict(intent.effect), "begun": begun})
        return
    how = "it was begun and not finished" if begun else "nothing was removed"
    print(f"{intent.effect.text()}\n{how}; --apply removes it")


def _begun(place: "Place", name: str) -> "Intent | None":
    from pipeline.lineage.intent import pending

    for intent in pending(place.root):
        if intent.named(name):
            return intent
        if intent.step != "prove":
            raise StageError(f"a removal was killed half-way; `{intent.command}` finishes it first")
    return None


def _planned(place: "Place", name: str) -> "Intent":
    from pipeline.lineage import history
    from pipeline.lineage.erase import going, photographs
    from pipeline.lineage.forget import consequences
    from pipeline.lineage.intent import Intent
    from pipeline.lineage.lock import file_md5
    from pipeline.lineage.removal import find_subject, plan_removal
    from pipeline.lineage.search import known_looks

    removal = plan_removal(place, find_subject(place, name))
    registers, studies = _registers(), made()
    named = {path for register in registers for path in photographs(register, removal)}
    photos = sorted(path for path in named if path.is_file())
    removal.objects |= {file_md5(path) for path in photos}  # DVC may track them as well
    known = known_looks(place, removal, *photos)
    parts = going(place, removal, known, *registers)
    with ExitStack() as stack:
        indices = {study: stack.enter_context(closing(index_of(study))) for study in studies}
        effect = consequences(indices, place, removal, parts)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    effect = _with_clouds(place, effect, removal.objects)
    command = f"pallor forget {removal.subject.ids[0]} --apply"
    revision = history.commit(place.root, "HEAD")
    return Intent(removal, effect, parts, known, command, when, revision, tuple(studies))


def _with_clouds(place: "Place", effect: "Consequences", objects: set[str]) -> "Consequences":
    """The same with what remotes that are no folders hold; of those that do not answer, a line."""
    from flows.clouds import clouds

    found = clouds(place)
    held = {name: len(oids) for name, oids in found.holding(objects).items()}
    files = effect.erased.files | {f"remote:{name}": n for name, n in held.items() if n}
    stays = [line for line in effect.stays if not line.startswith(_named(held, found.silent))]
    stays += [f"remote:{name} was not asked: {why}" for name, why in found.silent.items()]
    stays += [
        f"remote:{name} may be others' too: who lists one of the files that go ({n}) loses it"
        for name, n in held.items()
        if n
    ]
    return replace(effect, erased=replace(effect.erased, files=files), stays=stays)


def _named(*names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"remote:{name}," for some in names for name in some)


def _begin(place: "Place", name: str) -> "Intent":
    from pipeline.lineage import history
    from pipeline.lineage.erase import require_deletable
    from pipeline.lineage.intent import write

    dirty = history.changes(place.root)
    if dirty:
        raise StageError(
            f"the tree is dirty ({', '.join(dirty[:3])}); commit first, so that the version "
            "without them differs by them alone"
        )
    if matter := history.open_matters(place.root):
        raise StageError(f"the version without them could not be committed: {matter}")
    intent = _planned(place, name)
    require_deletable(intent.parts)
    for study in intent.studies:  # said before anything goes
        overridden([_exclusion(intent)], Workspace(study))
    print(intent.effect.text(), flush=True)
    write(place.root, intent)
    return intent


def _resumed(place: "Place", intent: "Intent") -> "Intent":
    from pipeline.lineage import history

    if intent.step == "commit":
        history.drop_locks(place.root)
    if intent.step != "prove" and (matter := history.open_matters(place.root)):
        raise StageError(f"the version without them could not be committed: {matter}")
    print(f"goes on with the removal of {intent.when}, next: {intent.step}", flush=True)
    return intent


def _erase(place: "Place", intent: "Intent", run: bool) -> "Intent":
    from flows.clouds import clouds
    from pipeline.lineage.erase import erase, leave_register
    from pipeline.lineage.forget import bury
    from pipeline.lineage.intent import advance, sweep

    if intent.step != "erase":
        return intent
    registers, indices = _registers(), [index_path(study) for study in intent.studies]
    sweep(Workspace().params, Workspace().tombstones, *registers, *indices)
    write_settings([_exclusion(intent)], intent.studies)
    erase(place, intent.removal, intent.parts)
    clouds(place).remove(intent.removal.objects)
    for register in registers:
        leave_register(register, intent.removal)
    for index in indices:
        index.unlink(missing_ok=True)  # made anew from what is left
    bury(place.root, intent.effect, intent.command, intent.when, intent.revision)
    print(f"removed: {intent.effect.erased.text()}", flush=True)
    if not run:
        print("`pallor run` makes the version without them; then commit it")
    return advance(place.root, intent, "run" if run else "prove")


def _run(place: "Place", intent: "Intent") -> "Intent":
    from flows.corpus import run_studies
    from pipeline.lineage import history
    from pipeline.lineage.intent import advance

    if intent.step == "run":
        run_studies(intent.studies)
        intent = advance(place.root, intent, "commit")
    ids = " ".join(intent.removal.subject.ids)
    try:
        history.commit_all(place.root, f"Forget {ids}\n\nRemoved on request; data/tombstones.jsonl")
    except StageError as error:
        raise StageError(f"{error}; then `{intent.command}` again commits and proves it") from error
    print(f"committed: {history.describe(place.root, 'HEAD')}", flush=True)
    return advance(place.root, intent, "prove")


def _prove(place: "Place", intent: "Intent") -> None:
    from flows.clouds import clouds
    from pipeline.lineage.intent import drop
    from pipeline.lineage.search import made_without, search
    from pipeline.report.templates import counted

    reached = clouds(place)
    held = reached.holding(intent.removal.objects - made_without(place, intent.removal))
    left = {name: url for name, url in place.unreached.items() if name not in held}
    found = search(replace(place, unreached=left), intent.removal, intent.known)
    for name, oids in held.items():
        verb = "is" if len(oids) == 1 else "are"
        print(f"remote {name}: asked by hash, {counted(len(oids), 'file')} of them {verb} left")
    for trace in found.traces:
        print(f"left behind, by {trace.text()}")
    print(found.text())
    if found.pictures(ours=True) or any(held.values()):
        raise StageError(
            "something of them is left, see above; remove it, then the same command proves again"
        )
    drop(place.root, intent)


def _exclusion(intent: "Intent") -> str:
    """The setting that keeps them out of every study's plan."""
    from pipeline.lineage.forget import excluded

    ids = excluded(load_params(Workspace().params).plan.exclude, intent.removal)
    return f"plan.exclude=[{', '.join(ids)}]"


def _registers() -> list[Path]:
    """The registers of the line and of every study that was made."""
    params = [load_params(Workspace().params), *(opened(study)[2] for study in made())]
    return sorted({Path(p.portraits.source) / "register.csv" for p in params})
