"""`pallor forget`: a person leaves the dataset, and no byte of them stays behind."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.lineage import INDEX, workspace
from flows.settings import write_settings
from flows.workspace import only_run
from pipeline.errors import StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import PARAMS, Workspace
from pipeline.lineage.removal import Removal
from pipeline.params import load_params

if TYPE_CHECKING:  # half a second that `pallor --help` does not need
    import numpy as np

    from pipeline.lineage.erase import Erased
    from pipeline.lineage.forget import Consequences


def add_command(command: Callable[[str, str], ArgumentParser]) -> None:
    """What can be asked."""
    page = command("forget", "show what a person's removal means; with --apply, remove them")
    page.add_argument("id", metavar="ID", help="a portrait or identity, or a key: photo/astronaut")
    page.add_argument("--apply", action="store_true", help="remove them, and run the line anew")
    page.add_argument("--no-run", action="store_true", help="with --apply: leave the run to you")


def forget(options: Namespace) -> None:
    """`pallor forget`: a dry run unless --apply is given."""
    from pipeline.lineage.forget import consequences
    from pipeline.lineage.index import open_index
    from pipeline.lineage.removal import find_subject, plan_removal

    place = workspace()
    removal = plan_removal(place, find_subject(place, options.id))
    with closing(open_index(place.root, INDEX)) as database:
        effect = consequences(database, place, removal)
    print(effect.text())
    if options.apply:
        _apply(place, removal, effect, run=not options.no_run)
    else:
        print("nothing was removed; --apply removes it")


def _apply(place: Workspace, removal: Removal, effect: "Consequences", run: bool) -> None:
    from pipeline.lineage.erase import erase
    from pipeline.lineage.forget import bury
    from pipeline.lineage.search import known_looks

    revision = _require_clean(place)
    command = f"pallor forget {' '.join(removal.subject.ids)} --apply"
    known = known_looks(place, removal)
    with only_run("pallor forget"):
        _exclude(removal)
        erased = erase(place, removal, known)
        _leave_register(removal, erased)
        INDEX.unlink(missing_ok=True)  # made anew from what is left
        when = datetime.now(UTC).isoformat(timespec="seconds")
        bury(place.root, effect, erased, command, when, revision)
    counts = ", ".join(f"{count} files from the {name}" for name, count in erased.files.items())
    print(f"removed: {counts or 'nothing'}; {erased.bytes / 1e6:.1f} MB", flush=True)
    if run:
        from flows.corpus import run_corpus

        run_corpus()
        _commit(place, removal)
    else:
        print("`pallor run` makes the version without them; then commit it")
    _prove(place, removal, known)


def _exclude(removal: Removal) -> None:
    from pipeline.lineage.forget import excluded

    ids = excluded(load_params(PARAMS).plan.exclude, removal)
    write_settings([f"plan.exclude=[{', '.join(ids)}]"])


def _leave_register(removal: Removal, erased: "Erased") -> None:
    from pipeline.lineage.erase import erase_register

    erase_register(Path(load_params(PARAMS).portraits.source) / "register.csv", removal, erased)


def _prove(place: Workspace, removal: Removal, known: "np.ndarray") -> None:
    from pipeline.lineage.search import search

    traces = list(search(place, removal, known))
    for trace in traces:
        print(f"left behind, by {trace.text()}")
    if any(trace.how != "name" for trace in traces):
        raise StageError("something of them is left, see above")
    left = "no picture is left, only the names above, in texts" if traces else "nothing is left"
    print(f"searched by hash, by look and by name: {left}")


def _require_clean(place: Workspace) -> str | None:
    if not history.is_repository(place.root):
        return None
    dirty = history.changes(place.root)
    if dirty:
        raise StageError(
            f"the tree is dirty ({', '.join(dirty[:3])}); commit first, so that the version "
            "without them differs by them alone"
        )
    return history.commit(place.root, "HEAD")


def _commit(place: Workspace, removal: Removal) -> None:
    if not history.is_repository(place.root):
        return
    history.git(place.root, "add", "--all")
    message = f"Forget {' '.join(removal.subject.ids)}\n\nRemoved on request; data/tombstones.jsonl"
    history.git(place.root, "commit", "--quiet", "--message", message)
    print(f"committed: {history.describe(place.root, 'HEAD')}", flush=True)
